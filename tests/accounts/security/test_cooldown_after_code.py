"""Who enrolled a factor by way of a recovery code rests like after a reset, and all approvers are told (DESIGN M4)."""

import re
from base64 import b32decode
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.factors import recovery_codes
from accounts.models import Authenticator, Member, SecurityNotice
from accounts.models.second_factor import code_at, current_step
from accounts.organizations.founding import add_member
from accounts.security import cooldown
from policies.changes import decide
from policies.inbox import queues
from policies.models import Decision
from policies.workflows import Right, Workflow
from portal.audit.models import AuditEvent
from portal.core.errors import Refused
from portal.treasury.withdrawals import request_withdrawal
from tests.factories.authenticator import SoftPasskey
from tests.factories.people import proof
from tests.factories.world import PASSWORD

pytestmark = pytest.mark.django_db


def come_in(client, member):
    """With the password and a recovery code, as somebody who stole both would."""
    code = recovery_codes.issue(member.user)[0]
    client.post("/sign-in/", {"email": member.user.email, "password": PASSWORD})
    assert client.post("/sign-in/recovery/", {"code": code}).status_code == 302


def enrol_app(client):
    page = client.get("/enrol/app/").content.decode()
    secret = "".join(re.findall(r"<span>([A-Z2-7]{4})</span>", page))
    seed = b32decode(secret)
    return client.post("/enrol/app/", {"name": "Mine now", "code": code_at(seed, current_step())})


def enrol_passkey(client):
    made = SoftPasskey()
    answer = made.create(client.post("/enrol/passkey/options/").json())
    return client.post("/enrol/passkey/", {"name": "Mine now", "answer": answer})


@pytest.mark.parametrize("enrol", [enrol_app, enrol_passkey])
def test_a_password_and_a_code_move_no_money_for_a_day(client, world, ana, ben, account, enrol):
    """F-7, DESIGN M4: enrolling by way of a recovery code never leads to approving within the day."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        money = request_withdrawal(actor=ana, account=account, key="btc-cold", asset="BTC", amount=Decimal("0.25"))
        come_in(client, ben)
        assert enrol(client).status_code == 302
        assert client.get("/inbox/").status_code == 200

        def yes():
            return decide(money.reference, member=ben, approved=True, digest=money.digest, proof=proof(money))

        clock.shift(settings.AFTER_RESET - timedelta(seconds=1))
        with pytest.raises(Refused, match="in the last 24 hours"):
            yes()
        assert money not in queues.waiting_for(ben)
        assert not Decision.objects.exists()
        clock.shift(timedelta(seconds=1))
        yes()
        assert Decision.objects.get().member == ben


def test_all_approvers_are_told_in_every_organization_of_the_person(client, world, ben, eve, mailed):
    """F-7, SI-10, DESIGN M4: mail after commit, in-page notice, AuditEvent; O1: none learns of the other."""
    there = add_member(world.elsewhere, ben.user, rights=[(Workflow.MANAGE_ACCESS, Right.VIEW)])
    come_in(client, ben)
    told = mailed(lambda: enrol_app(client))
    approvers = {world.members[short].user for short in ("owner", "cleo", "fay", "eve")}
    about_ben = [message for message in told if "by way of a recovery code" in message.subject]
    assert sorted(message.to[0] for message in about_ben) == sorted(user.email for user in (*approvers, ben.user))
    for message in about_ben:
        assert "nothing alone, of money, access and policies" in message.body
        if message.to[0] == eve.user.email:
            assert "Demo" not in message.subject + message.body
    notices = SecurityNotice.objects.filter(kind="member_enrolled_by_code")
    assert {notice.user for notice in notices} == approvers
    for place in (ben, there):
        event = AuditEvent.objects.get(kind="factor.added_by_recovery_code", organization=place.organization)
        assert event.subject_id == place.pk
        place.refresh_from_db()
        assert place.is_resting


def test_the_pages_say_so(client, owner, ben, sign_in):
    come_in(client, ben)
    assert "for a day after it you approve nothing" in " ".join(client.get("/enrol/").content.decode().split())
    enrol_app(client)
    own = " ".join(client.get("/profile/").content.decode().split())
    assert "You approve nothing, and finish nothing alone, of money, access and policies until" in own
    assert "You enrolled a second factor by way of a recovery code" in own
    other = Client()
    sign_in(other, owner)
    page = " ".join(other.get(f"/members/{ben.pk}/").content.decode().split())
    assert "Ben Adeyemi approves nothing, and finishes nothing alone, of money, access and policies until" in page
    assert "They enrolled a second factor by way of a recovery code" in page


def test_who_shows_a_factor_they_hold_does_not_rest(client, ben, cleo, code, sign_in):
    come_in(client, ben)
    client.post("/security/confirm/", {"code": code(ben)})
    enrol_app(client)
    sign_in(client := Client(), cleo)
    enrol_passkey(client)
    assert Authenticator.objects.filter(user=ben.user).count() == 2
    assert not Member.objects.filter(factors_reset_at__isnull=False).exists()


def test_a_later_reset_by_others_is_not_called_a_code(client, owner, ben):
    come_in(client, ben)
    enrol_app(client)
    cooldown.begin([ben])
    ben.refresh_from_db()
    assert ben.factors_reset_by_code is False
