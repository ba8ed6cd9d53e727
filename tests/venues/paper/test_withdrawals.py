import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from portal.core.errors import Conflict, Invalid
from portal.core.money import to_units
from portal.venues.errors import (
    BelowMinimum,
    InsufficientFunds,
    TooLate,
    UnknownAsset,
    UnknownMethod,
    UnknownReference,
)
from portal.venues.paper import networks, reconciliation
from portal.venues.paper.ledger.models import Balance, Entry
from portal.venues.paper.models import Withdrawal
from portal.venues.paper.venue import PaperVenue
from portal.venues.types import LedgerQuery, Stage, WithdrawalQuery
from tests.venues.conftest import RECEIVER, open_account, pay_in

VENUE = PaperVenue()
AMOUNT = to_units(Decimal("1.25"), 10)
FEE = to_units(Decimal("0.00005"), 10)
TEN = to_units(Decimal(10), 10)


def hold(account, reference="R1", amount_units=AMOUNT, asset="BTC", **destination):
    return VENUE.hold_withdrawal(
        account.pk,
        reference=reference,
        asset=asset,
        amount_units=amount_units,
        destination=replace(RECEIVER, **destination),
    )


def free(account):
    (row,) = VENUE.balances(account.pk)
    return row.units, row.held_by_orders_units, row.held_by_withdrawals_units


def test_what_is_held_leaves_the_balance_at_once_and_books_nothing(funded):
    row = hold(funded)

    assert free(funded) == (TEN - AMOUNT, 0, AMOUNT)
    assert (row.stage, row.txid, row.amount_units, row.fee_units) == (Stage.HELD, None, AMOUNT - FEE, FEE)
    assert Entry.objects.count() == 1


def test_a_repeated_hold_gives_the_first_answer(funded):
    assert hold(funded) == hold(funded)
    assert free(funded) == (TEN - AMOUNT, 0, AMOUNT)


@pytest.mark.parametrize(
    "other", [{"amount_units": AMOUNT + 1}, {"address": "bc1qother"}, {"key": "other"}, {"memo": "9"}]
)
def test_a_reference_serves_one_withdrawal_only(funded, other):
    hold(funded)

    with pytest.raises(Conflict):
        hold(funded, **other)
    assert free(funded) == (TEN - AMOUNT, 0, AMOUNT)


def test_a_reference_of_one_account_is_not_answered_to_another(funded):
    hold(funded)
    stranger = open_account()
    pay_in(stranger, "10")

    with pytest.raises(Conflict):
        hold(stranger)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"amount_units": TEN + 1}, InsufficientFunds),
        ({"amount_units": 2**63 - 1}, InsufficientFunds),
        ({"amount_units": to_units(Decimal("0.0005"), 10) - 1}, BelowMinimum),
        ({"amount_units": 0}, BelowMinimum),
        ({"amount_units": -AMOUNT}, BelowMinimum),
        ({"asset": "DOGE"}, UnknownAsset),
        ({"method": "Lightning"}, UnknownMethod),
        ({"asset": "ETH"}, UnknownMethod),
        ({"asset": "ETH", "method": "Ether (Hex)"}, InsufficientFunds),
    ],
)
def test_what_cannot_be_held_moves_nothing(funded, arguments, error):
    with pytest.raises(error):
        hold(funded, **arguments)
    assert free(funded) == (TEN, 0, 0)
    assert not Withdrawal.objects.exists()


def test_all_of_a_balance_can_be_held_and_then_nothing_more(funded):
    hold(funded, "R1", TEN)

    with pytest.raises(InsufficientFunds):
        hold(funded, "R2")
    assert free(funded) == (0, 0, TEN)


def test_what_orders_hold_cannot_be_withdrawn(funded):
    Balance.objects.update(held_by_orders_units=TEN - AMOUNT + 1)

    with pytest.raises(InsufficientFunds):
        hold(funded)


def test_sending_books_one_entry_with_the_fee_told_apart(funded):
    hold(funded)

    sent = VENUE.send_withdrawal("R1")

    assert free(funded) == (TEN - AMOUNT, 0, 0)
    assert sent.stage == Stage.INITIAL
    legs = {(leg.book, leg.units) for leg in Entry.objects.get(reference="R1").postings.all()}
    assert legs == {("account", -AMOUNT), ("outside", AMOUNT - FEE), ("fees", FEE)}
    row = VENUE.ledger(funded.pk, LedgerQuery()).rows[0]
    assert (row.kind, row.reference) == ("withdrawal", "R1")
    assert (row.amount_units, row.fee_units, row.balance_units) == (-(AMOUNT - FEE), FEE, TEN - AMOUNT)


def test_a_repeated_send_pays_once(funded):
    """AP-14: a run dies on its reference."""
    hold(funded)
    VENUE.send_withdrawal("R1")

    VENUE.send_withdrawal("R1")

    assert Entry.objects.filter(kind="withdrawal").count() == 1
    assert free(funded) == (TEN - AMOUNT, 0, 0)


def test_releasing_gives_back_once(funded):
    hold(funded)

    VENUE.release_withdrawal("R1")
    again = VENUE.release_withdrawal("R1")

    assert again.stage == Stage.CANCELED
    assert free(funded) == (TEN, 0, 0)


def test_what_was_released_is_not_sent_and_what_was_sent_is_not_released(funded):
    hold(funded, "R1")
    hold(funded, "R2")
    VENUE.release_withdrawal("R1")
    VENUE.send_withdrawal("R2")

    with pytest.raises(TooLate):
        VENUE.send_withdrawal("R1")
    with pytest.raises(TooLate):
        VENUE.release_withdrawal("R2")
    assert free(funded) == (TEN - AMOUNT, 0, 0)
    assert list(reconciliation.differences()) == []


@pytest.mark.parametrize("ask", [VENUE.send_withdrawal, VENUE.release_withdrawal, VENUE.withdrawal])
def test_an_unknown_reference_is_said_to_be_so(db, ask):
    with pytest.raises(UnknownReference):
        ask("R9")


def test_stages_follow_the_clock_after_sending(funded, time_machine):
    """DESIGN V1: a withdrawal succeeds within ten seconds of execution."""
    sent_at = timezone.now()
    time_machine.move_to(sent_at, tick=False)
    hold(funded)
    time_machine.move_to(sent_at + timedelta(days=2), tick=False)
    assert VENUE.withdrawal("R1").stage == Stage.HELD

    VENUE.send_withdrawal("R1")

    seen = []
    for second in range(11):
        time_machine.move_to(sent_at + timedelta(days=2, seconds=second), tick=False)
        row = VENUE.withdrawal("R1")
        seen.append(row.stage.value)
        assert (row.txid is not None) == (row.stage in {Stage.SETTLED, Stage.SUCCESS})
    assert seen == ["initial", "pending", "pending", "settled", "settled", "settled", *["success"] * 5]


def test_a_cancel_that_came_too_late_is_noted(funded):
    hold(funded, "R1")
    hold(funded, "R2")
    VENUE.send_withdrawal("R1")

    assert VENUE.cancel_withdrawal("R1") is False
    assert VENUE.cancel_withdrawal("R2") is False

    assert VENUE.withdrawal("R1").cancel_denied
    assert not VENUE.withdrawal("R2").cancel_denied, "it still waits"


@pytest.mark.parametrize(
    ("network", "form"),
    [
        ("Bitcoin", r"[0-9a-f]{64}"),
        ("Ethereum", r"0x[0-9a-f]{64}"),
        ("Solana", r"[1-9A-HJ-NP-Za-km-z]{86,88}"),
        ("SWIFT", r"[0-9A-F]{20}"),
    ],
)
def test_a_txid_looks_like_its_networks_and_stays_the_same(network, form):
    txid = networks.txid(network, "AGBSO6T-UFMTTQ-I7KGS6")

    assert re.fullmatch(form, txid)
    assert networks.txid(network, "AGBSO6T-UFMTTQ-I7KGS6") == txid
    assert networks.txid(network, "AGBSO6T-UFMTTQ-I7KGS7") != txid


def test_pages_go_on_from_their_cursor_without_a_gap(funded):
    for number in range(7):
        hold(funded, f"R{number}")

    seen, cursor = [], ""
    for _ in range(4):
        page = VENUE.withdrawals(funded.pk, WithdrawalQuery(limit=2, cursor=cursor))
        seen += [row.reference for row in page.rows]
        cursor = page.next_cursor or ""
    assert seen == [f"R{number}" for number in reversed(range(7))]
    assert cursor == ""


def test_a_cursor_of_another_account_is_refused(funded):
    hold(funded)
    stranger = open_account()

    with pytest.raises(Invalid):
        VENUE.withdrawals(stranger.pk, WithdrawalQuery(cursor="R1"))


def test_withdrawals_are_narrowed_by_asset_method_and_time(funded, time_machine):
    pay_in(funded, "10", "SOL")
    time_machine.move_to(timezone.now(), tick=False)
    times = []
    for number in range(3):
        time_machine.shift(60)
        times.append(hold(funded, f"R{number}").at)
    hold(funded, "S", asset="SOL", method="Solana")

    def found(**query):
        return [row.reference for row in VENUE.withdrawals(funded.pk, WithdrawalQuery(**query)).rows]

    assert found(asset="sol") == ["S"]
    assert found(method="bitcoin") == ["R2", "R1", "R0"]
    assert found(asset="BTC", since=times[1]) == ["R2", "R1"], "start is inclusive"
    assert found(asset="BTC", until=times[1]) == ["R1", "R0"], "end is inclusive"
    assert found(asset="BTC", seen_from=times[1]) == ["R2", "R1"], "query start is inclusive"
    assert found(asset="BTC", seen_before=times[1]) == ["R0"], "query end is exclusive"


def test_rows_of_several_references_come_in_one_statement(funded, django_assert_num_queries):
    for number in range(5):
        hold(funded, f"R{number}")

    with django_assert_num_queries(1):
        rows = VENUE.withdrawals_by_reference(["R1", "R4", "R9"])
    assert set(rows) == {"R1", "R4"}


@pytest.mark.parametrize("change", [{"sent_at": timezone.now()}, {"amount_units": FEE}, {"fee_units": -1}])
def test_the_database_refuses_a_withdrawal_that_makes_no_sense(funded, change):
    hold(funded)

    with pytest.raises(IntegrityError), transaction.atomic():
        Withdrawal.objects.update(**change)


def test_nothing_is_both_sent_and_released(funded):
    hold(funded)
    VENUE.send_withdrawal("R1")

    with pytest.raises(IntegrityError), transaction.atomic():
        Withdrawal.objects.update(released_at=timezone.now())
