"""The wall between two Organizations: Eve, who holds every right next door, tries every route that takes an id."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.members.invite_member import InviteMember, invite_member
from accounts.models import Authenticator, Invitation, Recovery, SecurityNotice, Session, StreamSocket
from policies.changes import propose
from policies.drafts import key_of
from policies.freezes.freeze import freeze
from policies.freezes.places import Place
from policies.models import ChangeRequest, Group, Policy
from policies.operations import CreateGroup, create_group
from policies.replay import runs
from policies.rules.language import Rule, plain_rule
from policies.workflows import Workflow
from portal.audit.models import AuditEvent
from portal.treasury.models import Address
from portal.treasury.withdrawals import request_withdrawal
from portal.venues.kraken.alarms import raise_alarm
from portal.venues.kraken.models import Alarm, Credential, Purpose
from tests.factories.connection import connected, unknown_withdrawal
from tests.factories.world import World
from tests.routes import routes

pytestmark = pytest.mark.django_db
# Routes whose varying part names nothing of an Organization.
NAMES_NOTHING = {
    "accounts:reset_link": "a secret token, for whoever holds it",
    "accounts:enrol_link": "a secret token, for whoever holds it",
    "accounts:invitation": "a secret token, for whoever holds it",
    "policies:configure": "one of four workflows",
    "policies:remove": "one of four workflows",
    "policies:roll_out": "one of four workflows",
    "policies:rules": "one of four workflows",
    "policies:draft": "one of four workflows, and the reader's own draft",
    "policies:new_rule": "one of four workflows",
    "policies:rule": "what a rule of the reader's own draft says",
    "policies:review": "one of four workflows, and the reader's own draft",
    "policies:lock": "one of four workflows",
    "policies:rehearse": "one of four workflows",
    "policies:unlock": "one of four workflows",
    "treasury:review_withdrawal": "a form on its way, signed for its session",
    "treasury:try_deposit": "there only while nothing is real; asked for both Accounts by its own test",
}


class Ids:
    """One thing of each kind of Demo Treasury's, as its address names it."""

    def __init__(self, world: World) -> None:
        owner, bot = world.members["owner"], world.bot("treasury-bot")
        propose(
            invite_member,
            actor=owner,
            params=InviteMember("nora@demo.test", "Nora", (("manage_access", "view", None),)),
        )
        withdrawal = request_withdrawal(
            actor=bot.service_user,
            account=world.account,
            key="btc-cold",
            asset="XXBT",
            amount=Decimal("0.5"),
            api_key=bot.key,
        )
        now = timezone.now()
        recovery = Recovery.objects.create(member=owner, announced_at=now, opens_at=now)
        notice = SecurityNotice.objects.create(user=owner.user, kind="factors_reset", at=now)
        self.member = (owner.pk,)
        self.bot = (bot.service_user.name,)
        self.key = (bot.service_user.name, bot.key.public)
        self.key_number = (bot.service_user.name, bot.key.pk)
        self.request = (withdrawal.reference,)
        self.address = (Address.objects.get(key="btc-cold", organization=world.organization).pk,)
        self.account = (world.account.pk,)
        propose(create_group, actor=owner, params=CreateGroup("Board of Demo Treasury", (world.members["ben"].pk,)))
        self.group = (Group.objects.get(organization=world.organization).pk,)
        self.invitation = (Invitation.objects.get(organization=world.organization).pk,)
        self.recovery = (recovery.pk,)
        self.notice = (notice.pk,)
        self.factor = ("app", Authenticator.objects.get(user=owner.user).pk)
        StreamSocket.objects.create(
            api_key=bot.key, service_user=bot.service_user, process="p", number=1, opened_at=now, seen_at=now
        )
        raise_alarm(world.account, Alarm.Kind.LEDGER, subject="R1", said="Something left.")
        self.alarm = (Alarm.objects.get().pk,)
        connected(world.account)
        withdrawing = Credential.objects.get(account=world.account, purpose=Purpose.WITHDRAW)
        self.withdrawal = (unknown_withdrawal(world.account).reference,)
        self.credential = (world.account.pk, withdrawing.pk)
        self.socket = (bot.service_user.name, StreamSocket.objects.get().pk)
        made = freeze(actor=owner, place=Place(Workflow.MANAGE_POLICIES), hours=1, reason="It looks wrong.")
        self.freeze = (made.pk,)
        self.rule = (Workflow.INITIATE_WITHDRAWAL.value, key_of(plain_rule(2, always=True)))
        self.replay = (runs.start(author=owner, rules=(Rule(approvals=1),)).reference,)
        self.session = (Session.objects.filter(member=owner).values_list("handle", flat=True).get(),)


UNKNOWN: dict[str, tuple[Any, ...]] = {
    "member": (999_999,),
    "bot": ("no-such-bot",),
    "key": ("no-such-bot", "K" * 56),
    "key_number": ("no-such-bot", 999_999),
    "request": ("AbCdEfGhIjKlMnOp",),
    "withdrawal": ("NEVER-SENT",),
    "address": (999_999,),
    "group": (999_999,),
    "account": (999_999,),
    "invitation": (999_999,),
    "recovery": (999_999,),
    "notice": (999_999,),
    "factor": ("app", 999_999),
    "session": (uuid4(),),
    "replay": ("AbCdEfGhIjKlMnOq",),
    "freeze": (999_999,),
    "rule": (Workflow.INITIATE_WITHDRAWAL.value, "0" * 12),
    "socket": ("no-such-bot", 999_999),
    "alarm": (999_999,),
    "credential": (999_998, 999_999),
}
KINDS = {
    "accounts:factor": "factor",
    "accounts:rename_factor": "factor",
    "accounts:remove_factor": "factor",
    "accounts:let_factor_count": "factor",
    "accounts:put_notice_away": "notice",
    "accounts:accept_more": "invitation",
    "accounts:send_invitation_again": "invitation",
    "accounts:revoke_invitation": "invitation",
    "accounts:cancel_recovery": "recovery",
    "accounts:member": "member",
    "accounts:change_rights": "member",
    "accounts:review_identity": "member",
    "accounts:suspend_member": "member",
    "accounts:keep_out": "member",
    "accounts:lift_stops": "member",
    "accounts:lift_member": "member",
    "accounts:remove_member": "member",
    "accounts:reset_factors": "member",
    "accounts:end_member_sessions": "member",
    "accounts:end_session": "session",
    "accounts:service_user": "bot",
    "accounts:change_service_user": "bot",
    "accounts:suspend": "bot",
    "accounts:lift": "bot",
    "accounts:remove": "bot",
    "accounts:rotate_key": "bot",
    "accounts:refused_calls": "key_number",
    "accounts:close_socket": "socket",
    "accounts:end_overlap": "key",
    "accounts:reveal": "key",
    "accounts:revoke": "key",
    "accounts:pause": "key",
    "accounts:lift_pause": "key",
    "policies:group": "group",
    "policies:change_group": "group",
    "policies:remove_group": "group",
    "policies:matching": "rule",
    "policies:request": "request",
    "policies:decide": "request",
    "policies:cancel": "request",
    "policies:ask_again": "request",
    "policies:freeze_longer": "freeze",
    "policies:lift_freeze": "freeze",
    "policies:replay": "replay",
    "policies:replay_now": "replay",
    "policies:cancel_replay": "replay",
    "kraken:acknowledge": "alarm",
    "kraken:account": "account",
    "kraken:reconnect": "account",
    "kraken:disconnect": "account",
    "kraken:add_credential": "account",
    "kraken:replace_credential": "credential",
    "kraken:remove_credential": "credential",
    "kraken:try_again": "credential",
    "kraken:unknown_withdrawal": "withdrawal",
    "kraken:look_again": "withdrawal",
    "treasury:import_addresses": "account",
    "treasury:rename_address": "address",
    "treasury:remove_address": "address",
    "treasury:account_balances": "account",
    "treasury:account_orders": "account",
    "treasury:account_deposits": "account",
    "treasury:try_deposit": "account",
    "treasury:withdrawal": "request",
    "treasury:withdrawal_now": "request",
    "treasury:withdrawal_stage": "request",
    "treasury:call_back": "request",
}


@pytest.fixture
def ids(world, owner, sign_in) -> Ids:
    sign_in(Client(), owner)
    return Ids(world)


@pytest.fixture
def eves(eve, sign_in) -> Client:
    client = Client()
    sign_in(client, eve)
    return client


def test_every_route_with_an_id_is_tried():
    """One with an id is in the table, or its varying part names nothing of an Organization."""
    varying = {route.name for route in routes() if route.parameters}
    assert varying == {*KINDS, *NAMES_NOTHING}


def answers(client: Client, name: str, args: tuple[Any, ...], *alike: Any) -> list[tuple[int, str, str]]:
    """What is answered to each method: the status, where it leads, and the text without its id or those `alike`."""
    found = []
    address = reverse(name, args=args)
    for call in (client.get, client.post):
        asked: Callable[..., Any] = call
        answer = asked(address, follow=True)
        # The words alone: tags carry tokens, an unexpected error its number, the foot digits as in an id.
        words = re.sub(r"<[^>]+>|\b[0-9a-f]{32}\b|\bVersion [\d.]+", " ", answer.content.decode())
        text = " ".join(words.split())
        last = answer.redirect_chain[-1][0] if answer.redirect_chain else ""
        # Whole, and those of the other answer too: a small id is also a number that a page says, as in "48 hours".
        for arg in (*args, *alike):
            text, last = re.sub(rf"\b{re.escape(str(arg))}\b", "?", text), last.replace(f"/{arg}/", "/?/")
        found.append((answer.status_code, last, text))
    return found


def test_what_is_foreign_is_answered_like_what_is_unknown(eves, ids, world):
    """DESIGN O1, AZ-2: `eve` × all routes with ids. The same status and words; nothing is changed there."""
    before = AuditEvent.objects.filter(organization=world.organization).count()
    changes = ChangeRequest.objects.count()
    for name, kind in KINDS.items():
        theirs, nobodys = getattr(ids, kind), UNKNOWN[kind]
        foreign = answers(eves, name, theirs, *nobodys)
        assert foreign == answers(eves, name, nobodys, *theirs), name
        assert all(status in {404, 405} or last for status, last, _ in foreign), name
    assert AuditEvent.objects.filter(organization=world.organization).count() == before
    assert ChangeRequest.objects.count() == changes


def test_lists_and_badges_show_the_stranger_nothing(eves, ids):
    """AZ-2, AZ-7: number 0 for the stranger, on every page without an id, the history and its export too."""
    seen = 0
    for route in routes():
        if route.parameters or not isinstance(getattr(route.view, "needs", None), tuple):
            continue
        answer = eves.get(reverse(route.name))
        if answer.status_code == 200:
            seen += 1
            text = b"".join(answer.streaming_content) if answer.streaming else answer.content
            for word in (b"Demo Treasury", b"Olive Marsh", b"treasury-bot", b"btc-cold", b"nora@demo.test"):
                assert word not in text, (route.name, word)
    assert seen > 10
    assert b"waiting" not in eves.get(reverse("policies:inbox_count")).content


def test_what_a_form_does_not_list_is_ignored(eves, world, eve):
    """AZ-4: extra fields ignored: whose it is, and whether it is locked, never come from input."""
    typed = {"approvals": "1", "open_hours": "24", "note": "", "acknowledged": "on"}
    extra = {
        "organization": str(world.organization.pk),
        "workflow": "initiate_withdrawal",
        "is_locked": "on",
        "initiator": str(world.members["owner"].pk),
        "state": "executed",
        "approvals_required": "0",
    }
    kept = list(Policy.objects.filter(organization=world.organization).values())
    eves.post(reverse("policies:configure", args=["manage_access"]), {**typed, **extra})
    made = ChangeRequest.objects.filter(organization=eve.organization, operation="policies.configure_policy").get()
    assert (made.member_id, made.params["workflow"]) == (eve.pk, "manage_access")
    assert list(Policy.objects.filter(organization=world.organization).values()) == kept
    assert not Policy.objects.filter(is_locked=True).exists()
