"""The road of a withdrawal: held, agreed to, sent as it was approved, or given back."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from policies.changes import decide
from policies.models import ChangeRequest, Policy, State
from portal.audit.models import AuditEvent
from portal.core.errors import Refused
from portal.treasury import expired_holds
from portal.treasury.models import Address
from portal.venues.paper import reconciliation
from portal.venues.paper.ledger.models import Entry
from portal.venues.types import LedgerQuery, Stage
from tests.factories.world import BTC_COLD
from tests.treasury.conftest import ASKED, HAD, VENUE, stage_of


def kinds(change):
    events = AuditEvent.objects.filter(kind__startswith="withdrawal.", data__change=change.reference)
    return list(events.order_by("sequence").values_list("kind", flat=True))


def test_a_bots_withdrawal_waits_with_its_amount_on_hold(ask, standing):
    """AP-11: withdraw by API: waiting request, no posting."""
    change = ask()

    assert (change.state, change.approvals_required) == (State.PENDING, 2)
    assert (change.title, change.amount, change.asset) == ("Withdraw to btc-cold", "1.25", "BTC")
    assert standing() == (HAD - ASKED, ASKED)
    assert stage_of(change) == Stage.HELD
    assert not Entry.objects.filter(kind="withdrawal").exists()
    assert kinds(change) == ["withdrawal.held"]


def test_a_reference_has_the_form_of_the_protocol_and_is_not_the_requests(ask):
    change = ask()

    assert [len(part) for part in change.withdrawal.reference.split("-")] == [7, 6, 6]
    assert change.withdrawal.reference != change.reference


def test_the_last_approval_sends_it_once_and_it_settles(ask, approve, ben, cleo, standing, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    change = approve(ask(), ben)
    assert stage_of(change) == Stage.HELD

    change = approve(change, cleo)

    assert change.state == State.EXECUTED
    assert standing() == (HAD - ASKED, 0)
    assert stage_of(change) == Stage.INITIAL
    (row,) = VENUE.ledger(change.account_id, LedgerQuery(kind="withdrawal")).rows
    assert row.reference == change.withdrawal.reference
    assert row.balance_units == HAD - ASKED
    time_machine.shift(10)
    assert stage_of(change) == Stage.SUCCESS
    assert kinds(change) == ["withdrawal.held", "withdrawal.sent"]
    assert list(reconciliation.differences()) == []


def test_without_a_policy_a_bots_withdrawal_goes_at_once(ask, standing):
    """DESIGN P2, last row."""
    Policy.objects.filter(workflow="initiate_withdrawal").delete()

    change = ask()

    assert change.state == State.EXECUTED
    assert standing() == (HAD - ASKED, 0)
    assert kinds(change) == ["withdrawal.held", "withdrawal.sent"]


def test_a_rejection_gives_the_amount_back(ask, ben, fresh, standing):
    change = ask()

    decide(
        change.reference, member=ben, approved=False, digest=change.digest, proof=fresh(change), reason="Not expected"
    )

    assert standing() == (HAD, 0)
    assert stage_of(change) == Stage.CANCELED
    assert kinds(change) == ["withdrawal.held", "withdrawal.released"]


def test_an_expiry_gives_the_amount_back_although_no_job_ran(ask, standing, world, time_machine):
    """CR-12, DESIGN R5: whoever looks at the withdrawals finds it expired."""
    time_machine.move_to(timezone.now(), tick=False)
    change = ask()
    time_machine.shift(timedelta(hours=72))

    for _ in range(2):
        expired_holds.release_due(world.account.pk)
        expired_holds.forget()

    change.refresh_from_db()
    assert change.state == State.EXPIRED
    assert standing() == (HAD, 0)


def test_an_expired_hold_does_not_stand_in_the_way_of_the_next(ask, standing, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    ask("12")
    time_machine.shift(timedelta(hours=73))

    ask("12")

    assert standing() == (4_000_000_000, 120_000_000_000)


@pytest.mark.parametrize("edit", [{"address": "bc1qattacker"}, {"memo": "9"}])
def test_the_address_that_was_approved_is_the_one_that_is_sent_to(edit, ask, approve, ben, cleo):
    """CR-2: edit between approval and run."""
    change = approve(ask(), ben)
    Address.objects.filter(key="btc-cold").update(**edit)

    change = approve(change, cleo)

    row = VENUE.withdrawal(change.withdrawal.reference)
    assert change.state == State.EXECUTED
    assert (row.destination.address, row.destination.memo) == (BTC_COLD, "")


def test_altered_params_are_never_sent(ask, ben, fresh, standing):
    """CR-1: UPDATE the payload row directly: run refuses, AuditEvent."""
    change = ask()
    ChangeRequest.objects.filter(pk=change.pk).update(params={**change.params, "address": "bc1qattacker"})

    with pytest.raises(Refused):
        decide(change.reference, member=ben, approved=True, digest=change.digest, proof=fresh(change))
    assert standing() == (HAD - ASKED, ASKED)
    assert AuditEvent.objects.filter(kind="change.refused").exists()


def test_what_the_venue_holds_must_be_what_was_approved(ask, approve, ben, cleo, standing):
    change = approve(ask(), ben)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE paper_withdrawal SET address = 'bc1qattacker'")

    change = approve(change, cleo)

    assert (change.state, change.reason) == (State.FAILED, "What is held is not what was asked.")
    assert standing() == (HAD, 0)
    assert kinds(change) == ["withdrawal.held", "withdrawal.released"]


def test_a_fee_that_is_allowed_and_an_address_that_is_right_pass(ask):
    change = ask(max_fee=Decimal("0.00005"), address=BTC_COLD, key="BTC-Cold")

    assert change.params["key"] == "btc-cold"


def test_a_member_with_initiate_may_ask_as_well(ask, ana, standing):
    change = ask(actor=ana, api_key=None)

    assert (change.state, change.member_id) == (State.PENDING, ana.pk)
    assert standing() == (HAD - ASKED, ASKED)
