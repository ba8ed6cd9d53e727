import re
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.core.errors import Conflict, DomainError, Invalid
from portal.venues.errors import InsufficientFunds, UnknownAsset, UnknownLedgerId
from portal.venues.paper import funding, reconciliation
from portal.venues.paper.ledger.models import Balance, Book, Entry, EntryKind, Posting
from portal.venues.paper.ledger.posting import Leg, new_ledger_id, post
from portal.venues.paper.venue import PaperVenue
from portal.venues.types import LedgerQuery
from tests.venues.conftest import RECEIVER, open_account, pay_in

VENUE = PaperVenue()
BTC_UNITS = 10**10


def test_a_deposit_reaches_the_account_and_leaves_the_outside_world(empty):
    funding.deposit(empty.pk, "btc", Decimal("1.25"), reference="first")

    entry = Entry.objects.get(reference="first")
    legs = {(leg.book, leg.account_id, leg.units) for leg in entry.postings.all()}
    assert legs == {("account", empty.pk, 12_500_000_000), ("outside", None, -12_500_000_000)}
    assert entry.sealed


def test_a_repeated_deposit_is_booked_once(empty):
    first = funding.deposit(empty.pk, "BTC", Decimal(1), reference="first")

    assert funding.deposit(empty.pk, "XBT", Decimal(1), reference="first") == first
    assert Balance.objects.get(account=empty).units == BTC_UNITS


def test_a_reference_serves_one_deposit_only(empty):
    funding.deposit(empty.pk, "BTC", Decimal(1), reference="first")

    with pytest.raises(Conflict):
        funding.deposit(empty.pk, "BTC", Decimal(2), reference="first")


@pytest.mark.parametrize("amount", ["0", "-1", "0.00000000001", "1e30", "NaN", "Infinity", "-0"])
def test_an_absurd_deposit_moves_nothing(empty, amount):
    with pytest.raises(Invalid):
        funding.deposit(empty.pk, "BTC", Decimal(amount), reference="first")
    assert not Entry.objects.exists()


def test_a_deposit_of_an_unknown_asset_moves_nothing(empty):
    with pytest.raises(UnknownAsset):
        funding.deposit(empty.pk, "DOGE", Decimal(1), reference="first")
    assert not Balance.objects.exists()


def test_a_balance_never_leaves_the_range_that_it_is_kept_in(empty):
    funding.deposit(empty.pk, "BTC", Decimal(900_000_000), reference="first")

    with pytest.raises(Invalid):
        funding.deposit(empty.pk, "BTC", Decimal(900_000_000), reference="second")
    assert Balance.objects.get(account=empty).units == 900_000_000 * BTC_UNITS


def test_no_leg_takes_more_than_is_free(funded):
    legs = [Leg("XXBT", -10 * BTC_UNITS - 1, account_id=funded.pk), Leg("XXBT", 10 * BTC_UNITS + 1, book=Book.OUTSIDE)]

    with pytest.raises(InsufficientFunds):
        post(EntryKind.WITHDRAWAL, "too-much", legs, at=timezone.now())
    assert not Entry.objects.filter(reference="too-much").exists()


def test_each_leg_on_an_account_keeps_the_balance_after_it(empty):
    for amount in ("1", "2", "0.5"):
        pay_in(empty, amount)

    after = list(Posting.objects.filter(account=empty).order_by("pk").values_list("balance_units", flat=True))
    assert after == [BTC_UNITS, 3 * BTC_UNITS, 3 * BTC_UNITS + BTC_UNITS // 2]


def test_ledger_ids_have_the_form_of_the_protocol():
    assert [len(part) for part in new_ledger_id().split("-")] == [6, 5, 6]
    assert new_ledger_id()[0] == "L"


def test_balances_are_read_in_one_statement_by_asset(empty, django_assert_num_queries):
    for asset in ("SOL", "BTC", "USDC"):
        pay_in(empty, "1", asset)

    with django_assert_num_queries(1):
        rows = VENUE.balances(empty.pk)
    assert [row.asset.id for row in rows] == ["SOL", "USDC", "XXBT"]
    assert rows[2].units == BTC_UNITS


def test_the_ledger_shows_newest_first_fifty_to_a_page(empty):
    for _ in range(53):
        pay_in(empty, "1", "SOL")
    pay_in(empty, "1")

    first = VENUE.ledger(empty.pk, LedgerQuery())
    rest = VENUE.ledger(empty.pk, LedgerQuery(offset=50, with_count=False))
    assert (len(first.rows), first.count) == (50, 54)
    assert (len(rest.rows), rest.count) == (4, None)
    assert first.rows[0].asset.id == "XXBT"
    assert len({row.id for row in (*first.rows, *rest.rows)}) == 54


def test_the_ledger_is_narrowed_by_asset_kind_and_time(empty, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    times = []
    for asset in ("BTC", "SOL", "BTC"):
        time_machine.shift(60)
        pay_in(empty, "1", asset)
        times.append(VENUE.ledger(empty.pk, LedgerQuery()).rows[0].at)

    def found(**query):
        return [row.at for row in VENUE.ledger(empty.pk, LedgerQuery(**query)).rows]

    assert found(assets=("xbt",)) == [times[2], times[0]]
    assert found(kind="withdrawal") == []
    assert found(after=times[0]) == [times[2], times[1]], "start is exclusive"
    assert found(until=times[1]) == [times[1], times[0]], "end is inclusive"
    assert found(seen_from=times[1]) == [times[2], times[1]], "query start is inclusive"
    assert found(seen_before=times[2]) == [times[1], times[0]], "query end is exclusive"


def test_the_ledger_is_narrowed_by_the_place_of_a_row(empty, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    for amount in ("1", "2", "3"):
        pay_in(empty, amount)
    third, second, first = VENUE.ledger(empty.pk, LedgerQuery()).rows
    assert third.at == first.at, "at the same instant only the order in which they came tells them apart"

    assert VENUE.ledger(empty.pk, LedgerQuery(after_id=first.id)).rows == (third, second)
    assert VENUE.ledger(empty.pk, LedgerQuery(until_id=second.id)).rows == (second, first)
    with pytest.raises(UnknownLedgerId):
        VENUE.ledger(open_account().pk, LedgerQuery(after_id=first.id))


def test_ledger_rows_are_found_by_id_within_the_account(funded):
    (row,) = VENUE.ledger(funded.pk, LedgerQuery()).rows
    stranger = open_account()

    assert list(VENUE.ledger_rows(funded.pk, [row.id, "LAAAAA-BBBBB-CCCCCC"])) == [row]
    assert list(VENUE.ledger_rows(stranger.pk, [row.id])) == []


@pytest.mark.parametrize(
    "change",
    [
        {"units": -1},
        {"held_by_orders_units": -1},
        {"held_by_withdrawals_units": -1},
        {"held_by_orders_units": 6 * BTC_UNITS, "held_by_withdrawals_units": 5 * BTC_UNITS},
    ],
)
def test_the_database_keeps_balances_above_zero_and_their_holds(funded, change):
    with pytest.raises(IntegrityError), transaction.atomic():
        Balance.objects.filter(account=funded).update(**change)


def test_the_ledger_is_checked_by_a_command(funded, capsys):
    call_command("checkledger")

    assert "agrees" in capsys.readouterr().out


def test_a_changed_balance_is_found_by_the_command(funded):
    Balance.objects.filter(account=funded).update(units=1, held_by_withdrawals_units=1)

    with pytest.raises(CommandError, match="2 places"):
        call_command("checkledger")
    assert f"Account {funded.pk}, XXBT, balance: 1 stands there; added up it is {10 * BTC_UNITS}." in list(
        reconciliation.differences()
    )


def test_an_entry_left_open_is_found_by_the_command(funded):
    Entry.objects.create(kind="deposit", reference="half", at=timezone.now())

    assert any("never sealed" in difference for difference in reconciliation.differences())


class Plain:
    """What two Accounts should have, by the plainest arithmetic there is."""

    METHODS = {"XXBT": "Bitcoin", "SOL": "Solana"}

    def __init__(self):
        self.accounts = [open_account(), open_account()]
        self.units = {(place, asset): 0 for place in (0, 1) for asset in self.METHODS}
        self.held = dict.fromkeys(self.units, 0)
        self.waiting = {}
        self.ended = {}

    def deposit(self, reference, place, asset, tenths):
        funding.deposit(self.accounts[place].pk, asset, Decimal(tenths) / 10, reference=reference)
        self.units[place, asset] += tenths

    def hold(self, reference, place, asset, tenths):
        VENUE.hold_withdrawal(
            self.accounts[place].pk,
            reference=reference,
            asset=asset,
            amount_units=tenths * BTC_UNITS // 10,
            destination=replace(RECEIVER, method=self.METHODS[asset]),
        )
        assert self.units[place, asset] - self.held[place, asset] >= tenths > 0
        self.held[place, asset] += tenths
        self.waiting[reference] = (place, asset, tenths)

    def end(self, how, pick):
        """Send or release any earlier one, also one that has ended."""
        known = [*self.waiting, *self.ended]
        if not known:
            return
        reference = known[pick % len(known)]
        (VENUE.send_withdrawal if how == "send" else VENUE.release_withdrawal)(reference)
        if reference in self.waiting:
            place, asset, tenths = self.waiting.pop(reference)
            self.held[place, asset] -= tenths
            self.units[place, asset] -= tenths if how == "send" else 0
            self.ended[reference] = how
        assert self.ended[reference] == how

    def agrees(self):
        kept = {
            (place, row.asset.id): (row.units + row.held_by_withdrawals_units, row.held_by_withdrawals_units)
            for place, account in enumerate(self.accounts)
            for row in VENUE.balances(account.pk)
        }
        tenth = BTC_UNITS // 10
        return all(
            kept.get(key, (0, 0)) == (units * tenth, self.held[key] * tenth) for key, units in self.units.items()
        )


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["deposit", "hold", "send", "release"]),
        st.integers(0, 1),
        st.sampled_from(sorted(Plain.METHODS)),
        st.integers(-1, 40),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
def test_money_is_neither_made_nor_lost(db, moves):
    """Whatever is tried, in any order: the books sum to zero, and each Account has what plain arithmetic says."""
    plain = Plain()
    for number, (move, place, asset, tenths) in enumerate(moves):
        with suppress(DomainError):
            if move in {"send", "release"}:
                plain.end(move, tenths)
            else:
                getattr(plain, move)(f"{plain.accounts[0].pk}-{number}", place, asset, tenths)
        assert plain.agrees(), move
    assert list(reconciliation.differences()) == []
    assert not Posting.objects.values("asset").annotate(total=Sum("units")).exclude(total=0).exists()


def test_the_statement_for_balances_is_served_by_an_index(funded):
    with connection.cursor() as cursor:
        prefix = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
        if connection.vendor != "sqlite":
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"{prefix} SELECT asset, units FROM paper_balance WHERE account_id = 1 ORDER BY asset")
        plan = str(cursor.fetchall())
    assert re.search(r"SEARCH paper_balance USING INDEX|balance_one_per_account_and_asset", plan), plan
