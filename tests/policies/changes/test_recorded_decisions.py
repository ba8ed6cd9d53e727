"""A decision counts because the history knows it, and a history that was cut is found out (security L4, L15)."""

from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from policies.changes import decide
from policies.changes.recorded_decisions import recorded
from policies.models import Decision, Policy, State
from portal.audit.models import AuditEvent, Chain
from portal.treasury.withdrawals import request_withdrawal
from tests.database import triggers

pytestmark = pytest.mark.django_db


@pytest.fixture
def yes(fresh):
    def said(change, member):
        return decide(change.reference, member=member, approved=True, digest=change.digest, proof=fresh(change))

    return said


@pytest.fixture
def asked(world, treasury_bot):
    """A withdrawal that takes three approvals."""
    Policy.objects.filter(workflow="initiate_withdrawal").update(approvals=3)
    return request_withdrawal(
        actor=treasury_bot.service_user,
        api_key=treasury_bot.key,
        account=world.account,
        key="btc-cold",
        asset="XBT",
        amount=Decimal("0.5"),
    )


def forge(change, member, *, person=None):
    """Write the row of an approval, as somebody who owns the database may."""
    Decision.objects.create(
        change=change,
        member=member,
        person=person or member.user,
        approved=True,
        digest=change.digest,
        factor="totp",
        at=timezone.now(),
    )


def test_an_approval_that_is_in_no_history_does_not_count(asked, yes, ben, cleo, fay):
    """fault security-L15: a row written by hand; it is noticed, recorded, and sends no money."""
    yes(asked, ben)
    forge(asked, cleo)
    assert yes(asked, fay).state == State.PENDING
    event = AuditEvent.objects.filter(kind="change.refused").latest("pk")
    assert event.data["reason"] == "1 approvals are in no history"
    with pytest.raises(CommandError, match="has an approval without its event"):
        call_command("verifyaudit")


def test_one_recorded_yes_does_not_count_for_two_people(asked, yes, ben, cleo, fay):
    """The attack: a second row of Ben's recorded yes names Cleo as the person, so that three people seem to agree."""
    yes(asked, ben)
    connection.check_constraints()
    with triggers.lifted():
        forge(asked, ben, person=cleo.user)
        connection.check_constraints()
    assert yes(asked, fay).state == State.PENDING
    event = AuditEvent.objects.filter(kind="change.refused").latest("pk")
    assert event.data["reason"] == "1 approvals are in no history"
    with pytest.raises(CommandError, match="has an approval without its event"):
        call_command("verifyaudit")


def test_a_recorded_yes_does_not_pass_to_somebody_else(asked, yes, ben, cleo, fay):
    """The attack: Ben loses his right, and his recorded yes is written over to Cleo, who never said a word."""
    yes(asked, ben)
    connection.check_constraints()
    with triggers.lifted():
        Decision.objects.filter(change=asked, member=ben).update(person=cleo.user)
        connection.check_constraints()
    yes(asked, fay)
    assert [given.member for given in recorded(asked)] == [fay]


def test_an_event_written_by_hand_makes_it_count_no_more(asked, yes, ben, cleo, fay):
    """fault security-L15: the event is sealed under a key that the database does not hold."""
    yes(asked, ben)
    forge(asked, cleo)
    event = AuditEvent.objects.filter(kind="change.approved", actor_id=ben.pk).latest("pk")
    chain = Chain.objects.get(pk=event.chain_id)
    event.pk, event.actor_id, event.sequence, event.previous = None, cleo.pk, chain.length + 1, chain.head
    event.save(force_insert=True)
    Chain.objects.filter(pk=chain.pk).update(length=event.sequence, head=event.hash)
    assert yes(asked, fay).state == State.PENDING


def test_three_true_approvals_still_suffice(asked, yes, ben, cleo, fay):
    for member in (ben, cleo):
        assert yes(asked, member).state == State.PENDING
    assert yes(asked, fay).state == State.EXECUTED
    call_command("verifyaudit")


def test_a_chain_cut_to_its_first_event_is_found_out(asked, yes, ben, cleo, fay, capsys):
    """fault security-L4: with the head rewritten, and nothing kept elsewhere."""
    for member in (ben, cleo, fay):
        yes(asked, member)
    first = AuditEvent.objects.get(organization=asked.organization, sequence=1)
    connection.check_constraints()
    with triggers.lifted():
        AuditEvent.objects.filter(chain=first.chain_id, sequence__gt=1)._raw_delete("default")
        Chain.objects.filter(pk=first.chain_id).update(length=1, head=first.hash)
        connection.check_constraints()
    with pytest.raises(CommandError, match=r"\(Demo Treasury\): events were taken away: request "):
        call_command("verifyaudit")
