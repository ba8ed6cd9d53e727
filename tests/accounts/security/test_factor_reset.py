"""Somebody's factors reset by others: the link goes to them alone, and for a day they approve no money."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.conf import settings
from django.core import mail as outbox
from django.utils import timezone

from accounts.factors.enrolled import held
from accounts.models import AccessLink, Authenticator, RecoveryCode, SecurityNotice
from accounts.organizations.founding import add_member
from accounts.security import cooldown
from accounts.security.reset_factors import ResetFactors, reset_factors
from policies import registry
from policies.changes import decide, propose
from policies.inbox import queues
from policies.models import ChangeRequest, State
from policies.workflows import Right, Workflow
from portal.audit.models import AuditEvent
from portal.core.errors import Refused
from portal.core.secrets.sealing import digest
from portal.jobs import mail
from portal.treasury.withdrawals import request_withdrawal
from tests.factories.people import proof

pytestmark = pytest.mark.django_db


def ask(actor, member) -> ChangeRequest:
    return propose(reset_factors, actor=actor, params=ResetFactors(member.pk))


def yes(change, member) -> ChangeRequest:
    return decide(change.reference, member=member, approved=True, digest=change.digest, proof=proof(change))


@pytest.fixture
def enrolled_again(ben):
    """Ben, who enrolled an app with his link after his factors were reset."""

    def enrol():
        made = Authenticator.objects.create(
            user=ben.user, name="new", confirmed=True, sealed_seed="-", created_at=timezone.now()
        )
        made.places.add(ben)
        cooldown.enrolled([ben])
        ben.refresh_from_db()
        return ben

    return enrol


def test_a_reset_takes_every_factor_and_ends_the_sessions(client, owner, ana, sign_in):
    """F-10: governed, ends that member's sessions, and opens fresh enrolment by invitation."""
    sign_in(client, ana)
    RecoveryCode.objects.create(user=ana.user, digest="0" * 64, created_at=timezone.now()).places.add(ana)
    assert ask(owner, ana).state == State.EXECUTED
    assert client.get("/members/").status_code == 302
    assert not Authenticator.objects.filter(user=ana.user).exists()
    assert not RecoveryCode.objects.filter(user=ana.user).exists()
    assert AccessLink.objects.filter(user=ana.user, purpose="enrol", used_at=None).count() == 1


def test_it_waits_for_approval_like_all_of_manage_access(ana, ben, cleo, client, sign_in):
    """F-10: nothing happens to the person before it is agreed to, and they do not decide on it."""
    sign_in(client, ben)
    change = ask(ana, ben)
    assert change.state == State.PENDING
    assert client.get("/members/").status_code == 200
    with pytest.raises(Refused, match="about you"):
        yes(change, ben)
    assert yes(change, cleo).state == State.EXECUTED


def test_nobody_resets_their_own_factors_this_way(owner, ana):
    """F-10: self-reset through this road is refused."""
    for member in (owner, ana):
        with pytest.raises(Refused, match="their own factors"):
            ask(member, member)


def test_the_link_goes_to_the_members_own_address_alone(owner, ana, ben, cleo, fay, django_capture_on_commit_callbacks):
    """F-10: and all approvers are told (M4), without the link."""
    with django_capture_on_commit_callbacks(execute=True):
        ask(owner, ana)
    mail.settle()
    to_ana = [message for message in outbox.outbox if message.to == [ana.user.email]]
    with_link = [message for message in outbox.outbox if "/enrol/" in message.body]
    assert len(with_link) == 1
    assert with_link[0] in to_ana
    told = {message.to[0] for message in outbox.outbox if "were reset" in message.subject and message not in to_ana}
    assert told == {member.user.email for member in (owner, ben, cleo, fay)}
    token = with_link[0].body.split("/enrol/link/")[1].split("/")[0]
    assert AccessLink.objects.get(user=ana.user).token_digest == digest(token)


def test_for_a_day_they_approve_no_money(world, owner, ben, cleo, ana, enrolled_again):
    """F-10: M4's 24 hours, shown to them and to others; other approvals go on."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        ask(owner, ben)
        enrolled_again()
        withdrawal = request_withdrawal(
            actor=ana, account=world.account, key="btc-cold", asset="BTC", amount=Decimal("0.1")
        )
        with pytest.raises(Refused, match="in the last 24 hours"):
            yes(withdrawal, ben)
        assert withdrawal not in queues.waiting_for(ben)
        assert withdrawal in queues.waiting_for(cleo)
        clock.shift(settings.AFTER_RESET - timedelta(seconds=1))
        with pytest.raises(Refused, match="in the last 24 hours"):
            yes(withdrawal, ben)
        access = ask(ana, world.members["audit"])
        with pytest.raises(Refused, match="in the last 24 hours"):
            yes(access, ben)
        clock.shift(timedelta(seconds=1))
        assert withdrawal in queues.waiting_for(ben)
        assert yes(withdrawal, ben).state == State.PENDING
        assert withdrawal.decisions.count() == 1


def test_it_counts_in_the_organization_that_decided_it_alone(world, owner, ben):
    """fault rules-A, fault security-H3: the neighbour keeps what it relies on, and learns nothing of it (O1)."""
    there = add_member(world.elsewhere, ben.user, rights=[(Workflow.MANAGE_ACCESS, Right.VIEW)])
    ask(owner, ben)
    there.refresh_from_db()
    ben.refresh_from_db()
    assert there.factors_reset_at is None
    assert not there.is_resting
    assert ben.is_resting
    assert [*held(ben), *held(there)] == ["totp"]
    assert not AuditEvent.objects.filter(organization=world.elsewhere, kind="factor.reset").exists()
    assert not SecurityNotice.objects.filter(user=world.members["eve"].user).exists()


def test_the_shortage_that_it_leaves_is_no_reason_to_refuse_it(owner, ben, cleo, fay):
    """P5: factor resets are never refused for the shortage they leave."""
    for member in (ben, cleo, fay):
        assert ask(owner, member).state == State.EXECUTED


def test_the_page_tells_what_to_do_before_approving(ana, ben):
    change = ask(ana, ben)
    described = registry.get(change.operation).describe(change)
    assert "Speak to Ben Adeyemi" in described.notices[0].title
    afterwards = next(fact.value for fact in described.facts if fact.label == "Afterwards")
    assert afterwards.startswith("until 24 hours after they enrol again Ben Adeyemi approves nothing")
