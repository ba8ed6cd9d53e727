"""Two connections at once over one balance. Each of these was seen failing with its row lock taken out."""

from functools import partial

import pytest
from django.core.management import call_command

from portal.venues.errors import InsufficientFunds, TooLate
from portal.venues.paper import reconciliation
from portal.venues.paper.ledger.models import Entry
from portal.venues.paper.models import Balance, Withdrawal
from portal.venues.paper.orders import reconciliation as orders
from portal.venues.paper.venue import PaperVenue
from portal.venues.types import OrderRow
from tests.venues.conftest import RECEIVER, open_account, pay_in, together
from tests.venues.ordering import place

pytestmark = pytest.mark.django_db(transaction=True)
VENUE = PaperVenue()
BTC_UNITS = 10**10
ROUNDS = 6


def hold(account, reference, bitcoin):
    return VENUE.hold_withdrawal(
        account.pk, reference=reference, asset="XXBT", amount_units=bitcoin * BTC_UNITS, destination=RECEIVER
    )


@pytest.fixture
def ten():
    account = open_account()
    pay_in(account, "10")
    return account


def test_two_withdrawals_over_one_balance_leave_one(ten):
    """CR-11: two approved requests over one balance."""
    for number in range(ROUNDS):
        results = together(partial(hold, ten, f"A{number}", 6), partial(hold, ten, f"B{number}", 6))

        refused = [result for result in results if isinstance(result, InsufficientFunds)]
        assert len(refused) == 1, results
        VENUE.release_withdrawal(Withdrawal.objects.get(released_at=None).reference)
    assert list(reconciliation.differences()) == []


def test_many_withdrawals_over_one_balance_hold_what_there_is(ten):
    results = together(*(partial(hold, ten, f"R{number}", 3) for number in range(8)))

    assert sum(isinstance(result, InsufficientFunds) for result in results) == 5, results
    assert list(reconciliation.differences()) == []


def test_the_same_reference_twice_at_once_holds_once(ten):
    for number in range(ROUNDS):
        results = together(partial(hold, ten, f"R{number}", 1), partial(hold, ten, f"R{number}", 1))

        assert results[0] == results[1], results
    assert list(reconciliation.differences()) == []


def test_sending_twice_at_once_pays_once(ten):
    for number in range(ROUNDS):
        hold(ten, f"R{number}", 1)
        send = partial(VENUE.send_withdrawal, f"R{number}")

        first, second = together(send, send)

        assert not isinstance(first, Exception), first
        assert not isinstance(second, Exception), second
        assert Entry.objects.filter(kind="withdrawal").count() == number + 1
    assert list(reconciliation.differences()) == []


def test_sending_and_releasing_at_once_does_one_of_them(ten):
    for number in range(ROUNDS):
        hold(ten, f"R{number}", 1)

        results = together(
            partial(VENUE.send_withdrawal, f"R{number}"), partial(VENUE.release_withdrawal, f"R{number}")
        )

        assert sum(isinstance(result, TooLate) for result in results) == 1, results
    assert list(reconciliation.differences()) == []


def test_opposite_movements_at_once_do_not_block_each_other(ten):
    hold(ten, "R1", 1)
    other = open_account()

    results = together(
        partial(VENUE.send_withdrawal, "R1"), partial(pay_in, ten, "1"), partial(pay_in, other, "1", "SOL"),
        partial(hold, ten, "R2", 2), partial(pay_in, ten, "1", "SOL"),
    )  # fmt: skip

    assert not [result for result in results if isinstance(result, Exception)]
    assert list(reconciliation.differences()) == []


def test_an_order_that_is_placed_while_all_is_added_up_is_no_difference(ten, monkeypatch, capsys):
    """Bots go on while an operator looks: what was read before it must not be held against what is read after it."""
    usd = open_account()
    pay_in(usd, "100000", "USD")
    added_up = orders.held

    def added_up_and_then_one_more():
        found = added_up()
        (row,) = together(partial(place, usd, "buy", "0.1", "10"))
        assert isinstance(row, OrderRow), row
        return found

    monkeypatch.setattr(orders, "held", added_up_and_then_one_more)
    call_command("checkledger")
    assert "agrees" in capsys.readouterr().out
    monkeypatch.undo()
    call_command("checkledger")
    assert Balance.objects.get(account=usd, asset="ZUSD").held_by_orders_units > 0
