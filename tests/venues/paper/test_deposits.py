"""Money on its way in: addresses, stages by the clock, and one booking."""

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from accounts.models import Account
from portal.core.errors import Invalid
from portal.venues.errors import BelowMinimum, TooManyAddresses, UnknownAsset, UnknownMethod
from portal.venues.paper import catalogue, funding, reconciliation
from portal.venues.paper.deposits import arrival
from portal.venues.paper.deposits.models import Deposit, DepositAddress
from portal.venues.paper.ledger.models import Entry
from portal.venues.types import DepositQuery, DepositStage, LedgerQuery
from tests.venues.conftest import START, open_account, pay_in, together
from tests.venues.ordering import VENUE, has, place

BITCOIN = {"asset": "XBT", "method": "Bitcoin"}


def rows(account, **query):
    return VENUE.deposits(account.pk, DepositQuery(**query)).rows


@pytest.mark.parametrize("asset", catalogue.ASSETS, ids=lambda asset: asset.code)
def test_every_asset_can_come_in_at_an_address_of_its_own(empty, asset):
    (way,) = VENUE.deposit_methods(asset.code)
    other = open_account()
    assert not VENUE.has_deposit_address(empty.pk, asset.id, way.name)
    (first,) = VENUE.deposit_addresses(empty.pk, asset.id, way.name, new=False)

    assert VENUE.deposit_addresses(empty.pk, asset.altname, way.name.upper(), new=False) == [first]
    assert VENUE.has_deposit_address(empty.pk, asset.id, way.name)
    assert first.is_new
    assert VENUE.deposit_addresses(other.pk, asset.id, way.name, new=False)[0].address != first.address


def test_nobody_could_send_real_money_there(empty):
    addresses = {
        asset: VENUE.deposit_addresses(empty.pk, asset, VENUE.deposit_methods(asset)[0].name, new=False)[0].address
        for asset in ("BTC", "ETH", "USD")
    }
    assert addresses["BTC"].startswith("tb1q")
    assert bytes.fromhex(addresses["ETH"][2:]).startswith(b"paper-")
    assert addresses["USD"].startswith("PAPER ")


def test_unused_addresses_are_capped(empty):
    for number in range(1, 6):
        assert len(VENUE.deposit_addresses(empty.pk, **BITCOIN, new=True)) == number
    with pytest.raises(TooManyAddresses):
        VENUE.deposit_addresses(empty.pk, **BITCOIN, new=True)
    assert len({address.address for address in VENUE.deposit_addresses(empty.pk, **BITCOIN, new=False)}) == 5

    arrival.send(empty.pk, "BTC", Decimal(1))
    newest, *_ = VENUE.deposit_addresses(empty.pk, **BITCOIN, new=True)
    assert newest.is_new
    assert sum(address.is_new for address in VENUE.deposit_addresses(empty.pk, **BITCOIN, new=False)) == 5


@pytest.mark.parametrize(("asset", "method", "error"), [("DOGE", "x", UnknownAsset), ("BTC", "SEPA", UnknownMethod)])
def test_an_address_needs_a_way_in(empty, asset, method, error):
    with pytest.raises(error):
        VENUE.deposit_addresses(empty.pk, asset, method, new=False)


def test_a_deposit_goes_through_its_stages_by_the_clock(empty, clock):
    clock(0)
    sent = arrival.send(empty.pk, "btc", Decimal("1.5"))
    stages = []
    for second in (0, 1, 2, 4, 5, 9):
        clock(second)
        stages.append(rows(empty)[0].stage)

    assert [*map(str, stages)] == ["pending", "pending", "settled", "settled", "success", "success"]
    (row,) = rows(empty)
    assert (row.reference, row.amount_units, row.at) == (sent.reference, 15 * 10**9, START)
    (entry,) = VENUE.ledger(empty.pk, LedgerQuery()).rows
    assert (entry.reference, entry.at) == (sent.reference, START + timedelta(seconds=5))
    assert Deposit.objects.get().entry_id is not None


def test_it_counts_from_its_time_on_whatever_is_looked_at_first(empty, clock):
    clock(0)
    arrival.send(empty.pk, "BTC", Decimal(1))
    clock(4)
    assert has(empty) == {}
    clock(5)
    assert has(empty) == {"BTC": (1, 0)}
    arrival.send(empty.pk, "BTC", Decimal(1))
    clock(10)
    assert has(empty) == {"BTC": (2, 0)}
    arrival.send(empty.pk, "ETH", Decimal(1))
    clock(20)
    assert VENUE.settle_due(10) == 1
    place(empty, "sell", "1", pair="ETHUSD")


def test_what_came_first_is_told_first(empty, prices, clock):
    prices((0, "XBT/USD", "60000"), (3, "XBT/USD", "50000"), (7, "XBT/USD", "40000"))
    clock(0)
    pay_in(empty, "2000", "USD")
    place(empty, "buy", "0.01", "51000")
    place(empty, "buy", "0.01", "41000")
    arrival.send(empty.pk, "ETH", Decimal(1))
    clock(3600)

    told = [(row.kind, (row.at - START).seconds) for row in VENUE.ledger(empty.pk, LedgerQuery()).rows]
    assert told[::-1][1:] == [("trade", 3), ("trade", 3), ("deposit", 5), ("trade", 7), ("trade", 7)]


@pytest.mark.parametrize(
    ("amount", "error"),
    [("0.0001", BelowMinimum), ("0", Invalid), ("-1", Invalid), ("1e20", Invalid), ("NaN", Invalid)],
)
def test_an_absurd_deposit_sends_nothing(empty, amount, error):
    with pytest.raises(error):
        arrival.send(empty.pk, "BTC", Decimal(amount))
    assert not Deposit.objects.exists()


def test_deposits_are_listed_newest_first_by_cursor(empty, clock):
    for second in range(3):
        clock(second)
        arrival.send(empty.pk, "BTC" if second else "ETH", Decimal(1))
    page = VENUE.deposits(empty.pk, DepositQuery(limit=2))
    rest = VENUE.deposits(empty.pk, DepositQuery(limit=2, cursor=page.next_cursor or ""))

    assert [row.asset.code for row in (*page.rows, *rest.rows)] == ["BTC", "BTC", "ETH"]
    assert rest.next_cursor is None
    at = [row.at for row in (*page.rows, *rest.rows)]
    assert [row.at for row in rows(empty, asset="XBT")] == at[:2]
    assert [row.at for row in rows(empty, method="bitcoin", since=at[1])] == at[:2]
    assert [row.at for row in rows(empty, seen_from=at[1], seen_before=at[0])] == at[1:2]
    with pytest.raises(Invalid):
        rows(open_account(), cursor=page.next_cursor)


def test_a_balance_that_can_grow_no_further_keeps_the_deposit_waiting(empty, clock):
    clock(0)
    funding.deposit(empty.pk, "USD", Decimal(2**63 - 1).scaleb(-4), reference="all")
    arrival.send(empty.pk, "USD", Decimal(100))
    arrival.send(empty.pk, "ETH", Decimal(1))
    clock(60)

    assert has(empty)["ETH"] == (1, 0)
    assert [row.stage for row in rows(empty, asset="USD")] == [DepositStage.SETTLED, DepositStage.SUCCESS]


def test_a_command_sends(empty, clock, capsys):
    clock(0)
    organization = empty.organization.name
    call_command("paperdeposit", organization=organization, asset="btc", amount="1.25")
    clock(5)

    assert "1.25 BTC is on its way to tb1q" in capsys.readouterr().out
    assert has(empty) == {"BTC": (Decimal("1.25"), 0)}
    for bad in ({"amount": "1e3"}, {"asset": "DOGE"}, {"account": "Vault"}, {"method": "SEPA"}, {"amount": "0.00001"}):
        with pytest.raises(CommandError):
            call_command("paperdeposit", **{"organization": organization, "asset": "btc", "amount": "1", **bad})
    assert Deposit.objects.count() == 1


def test_nothing_is_sent_to_an_account_of_another_exchange(empty):
    """What it has is there, and the paper exchange must not say otherwise."""
    Account.objects.update(venue="elsewhere")
    with pytest.raises(CommandError, match="not on the paper exchange"):
        call_command("paperdeposit", organization=empty.organization.name, asset="btc", amount="1")
    assert not Deposit.objects.exists()


@pytest.mark.parametrize("change", [{"amount_units": 0}, {"credit_at": START - timedelta(days=9)}])
def test_the_database_keeps_deposits_sensible(empty, change):
    arrival.send(empty.pk, "BTC", Decimal(1))
    with pytest.raises(IntegrityError), transaction.atomic():
        Deposit.objects.update(**change)


def test_a_changed_deposit_is_found(empty):
    pay_in(empty, "1")
    assert list(reconciliation.differences()) == []
    Deposit.objects.update(amount_units=5)
    assert any("is not what its entry moved" in difference for difference in reconciliation.differences())


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_looking_at_once_books_once_and_numbers_once(clock):
    """Seen failing without the locks of the deposit and of the Account."""
    clock(0)
    account = open_account()
    for number in range(1, 4):
        clock(number * 10)
        arrival.send(account.pk, "BTC", Decimal(1))
        clock(number * 10 + 5)
        looks = together(*[partial(VENUE.balances, account.pk)] * 2, partial(VENUE.settle_due, 10))
        assert not [result for result in looks if isinstance(result, Exception)], looks
        assert Entry.objects.count() == number
        made = together(*[partial(VENUE.deposit_addresses, account.pk, **BITCOIN, new=True)] * 2)
        assert not [result for result in made if isinstance(result, Exception)], made
        DepositAddress.objects.update(used_at=START)
    assert list(reconciliation.differences()) == []
