"""Withdrawals asked for and decided at the same moment, on connections of their own."""

from functools import partial

import pytest
from django.db import IntegrityError, transaction

from policies.changes import decide
from policies.models import ChangeRequest, State
from portal.treasury import withdrawals
from portal.venues.errors import InsufficientFunds
from portal.venues.paper import reconciliation
from portal.venues.paper.ledger.models import Balance, Entry
from tests.venues.conftest import together

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_requests_over_one_balance_hold_it_once(ask, standing):
    """CR-11: two requests over one balance."""
    results = together(partial(ask, "8"), partial(ask, "8"))

    assert sum(isinstance(result, InsufficientFunds) for result in results) == 1, results
    assert ChangeRequest.objects.filter(workflow="initiate_withdrawal").count() == 1
    assert standing() == (44_000_000_000, 80_000_000_000)


def test_two_approved_requests_over_one_balance_never_take_it_below_zero(ask, approve, ben, cleo, fresh, standing):
    """CR-11: two approved requests over one balance, their last approvals at the same moment."""
    first, second = approve(ask("6.2"), ben), approve(ask("6.2"), ben)

    together(*(
        partial(decide, change.reference, member=cleo, approved=True, digest=change.digest, proof=fresh(change))
        for change in (first, second)
    ))  # fmt: skip

    for change in (first, second):
        change.refresh_from_db()
        assert change.state == State.EXECUTED
    assert standing() == (0, 0)
    with pytest.raises(InsufficientFunds):
        ask("0.01")
    with pytest.raises(IntegrityError), transaction.atomic():
        Balance.objects.filter(asset="XXBT", units=0).update(units=-1)
    assert list(reconciliation.differences()) == []


def test_two_last_approvals_at_once_send_it_once(ask, approve, ben, cleo, fay, fresh):
    """CR-5: approve beside approve."""
    change = approve(ask(), ben)
    yes = partial(decide, change.reference, approved=True, digest=change.digest, proof=fresh(change))

    together(partial(yes, member=cleo), partial(yes, member=fay))

    change.refresh_from_db()
    assert change.state == State.EXECUTED
    assert Entry.objects.filter(kind="withdrawal").count() == 1
    assert list(reconciliation.differences()) == []


def test_the_last_approval_and_the_bots_cancel_at_once_do_one_of_them(
    ask, approve, ben, cleo, fresh, treasury_bot, world
):
    """CR-5: approve beside cancel."""
    change = approve(ask(), ben)
    yes = partial(decide, change.reference, member=cleo, approved=True, digest=change.digest, proof=fresh(change))
    cancel = partial(
        withdrawals.cancel_withdrawal,
        actor=treasury_bot.service_user,
        account_id=world.account.pk,
        reference=change.withdrawal.reference,
    )

    _, was_cancelled = together(yes, cancel)

    change.refresh_from_db()
    assert was_cancelled is (change.state == State.CANCELLED)
    assert Entry.objects.filter(kind="withdrawal").count() == (change.state == State.EXECUTED)
    assert list(reconciliation.differences()) == []
