"""What pages are told by a running exchange, and what they keep when the way there is broken."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from portal.core.database.one_reading import one_reading
from portal.core.errors import Unavailable
from portal.core.money import from_units
from portal.venues.kraken.models import Purpose, Snapshot
from portal.venues.kraken.reading import catalogue, snapshots
from portal.venues.registry import venue
from portal.venues.types import (
    ClosedQuery,
    DepositQuery,
    LedgerQuery,
    OpenQuery,
    OrderKind,
    OrderStatus,
    Part,
    TradeQuery,
)
from tests.gateway.connected import credential, real_account
from tests.gateway.proxy import faults

HERE = venue("kraken")


@pytest.fixture
def real(world, customer, proxy, settings):
    """An Account whose credential is one for everything but withdrawals."""
    settings.EXCHANGES = [f"Test={proxy.url}"]
    settings.API_LIMITS = False
    account = real_account(world.organization)
    credential(account, Purpose.REST, customer.keys["rest"], nonce_window=5_000_000_000)
    return account


def parts(account_id: int):
    """Everything that pages read of an Account, each by its part."""
    return {
        Part.BALANCES: lambda: HERE.balances(account_id),
        Part.WORTH: lambda: HERE.trade_balance(account_id, "USD"),
        Part.LEDGER: lambda: HERE.ledger(account_id, LedgerQuery()).rows,
        Part.OPEN_ORDERS: lambda: HERE.open_orders(account_id, OpenQuery()),
        Part.CLOSED_ORDERS: lambda: HERE.closed_orders(account_id, ClosedQuery()).rows,
        Part.TRADES: lambda: HERE.trades(account_id, TradeQuery()).rows,
        Part.DEPOSITS: lambda: HERE.deposits(account_id, DepositQuery()).rows,
        Part.ALLOCATIONS: lambda: HERE.allocations(account_id),
    }


def trade(customer) -> tuple[str, str]:
    """An order that stands, and one that is filled at once."""
    standing = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "100", "volume": "0.01"}
    filled = {"pair": "ETHUSD", "type": "sell", "ordertype": "market", "volume": "0.5"}
    one, other = (customer.result("everything", "AddOrder", **order)["txid"][0] for order in (standing, filled))
    return one, other


def test_all_of_an_account_is_read(real, customer):
    standing, filled = trade(customer)
    told = {}
    for part, read in parts(real.pk).items():
        with one_reading():
            told[part] = read()
            assert HERE.as_of(real.pk, part).trouble == ""
    balances = {row.asset.code: from_units(row.units, row.asset.decimals) for row in told[Part.BALANCES]}
    theirs = customer.result("everything", "Balance")
    assert balances["BTC"] == Decimal(theirs["XXBT"])
    assert balances["USD"] == Decimal(theirs["ZUSD"])
    assert told[Part.WORTH].equivalent > 0
    assert [(row.id, row.kind, row.status) for row in told[Part.OPEN_ORDERS]] == [
        (standing, OrderKind.LIMIT, OrderStatus.OPEN)
    ]
    assert [(row.id, row.pair.wsname, row.status) for row in told[Part.CLOSED_ORDERS]] == [
        (filled, "ETH/USD", OrderStatus.CLOSED)
    ]
    assert {row.order_id for row in told[Part.TRADES]} == {filled}
    assert {row.kind for row in told[Part.LEDGER]} >= {"trade"}


def test_its_ledger_goes_on_page_by_page(real, customer):
    for _ in range(30):
        trade(customer)
    first = HERE.ledger(real.pk, LedgerQuery()).rows
    assert len(first) == 50
    second = HERE.ledger(real.pk, LedgerQuery(until_id=first[-1].id)).rows
    assert second[0] == first[-1]
    assert {row.id for row in second[1:]}.isdisjoint(row.id for row in first)
    of_eth = HERE.ledger(real.pk, LedgerQuery(assets=("XETH",))).rows
    assert {row.asset.code for row in of_eth} == {"ETH"}


FAULTS = {
    "502": faults.page(502, executed=False),
    "520": faults.page(520, executed=True),
    "525": faults.page(525, executed=False),
    "lost": faults.answer_lost,
    "cut before": faults.cut_before,
    "reset": faults.reset_after,
    "cut in the middle": faults.cut_in_the_middle,
    "truncated": faults.truncated_json(executed=True),
    "gzip broken": faults.gzip_broken,
    "too slow": faults.slow(5),
    "busy": faults.error("EService:Busy"),
    "unavailable": faults.error("EService:Unavailable"),
    "rate": faults.error("EAPI:Rate limit exceeded"),
    "throttled": faults.error("EService: Throttled: 1800000000"),
    "internal": faults.error("EGeneral:Internal error"),
    "denied": faults.error("EGeneral:Permission denied"),
    "nonce": faults.error("EAPI:Invalid nonce"),
    "with a result": faults.error("EService:Unavailable", result={}),
    "a list": faults.shape([1]),
    "nothing": faults.shape(b""),
    "redirect": faults.redirect(302, "http://127.0.0.1:1/"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_breaks_on_the_way_the_last_known_is_told(real, customer, proxy, fault, monkeypatch):
    trade(customer)
    assert catalogue.refresh_all("Test")
    before = {part: read() for part, read in parts(real.pk).items()}
    an_hour = timezone.now() - timedelta(hours=1)
    Snapshot.objects.exclude(account=None).update(read_at=an_hour, tried_at=an_hour)
    monkeypatch.setattr(snapshots, "PAGE_SECONDS", 0.3)
    proxy.on(None, FAULTS[fault])
    for part, read in parts(real.pk).items():
        with one_reading():
            assert read() == before[part]
            told = HERE.as_of(real.pk, part)
        assert told.trouble, part
        assert told.at is not None


def test_a_gzipped_answer_is_an_answer(real, proxy):
    proxy.on(None, faults.gzipped)
    assert HERE.balances(real.pk)
    assert HERE.as_of(real.pk, Part.BALANCES).trouble == ""


def test_a_lockout_stops_looking_at_once(real, customer, proxy):
    """Each further try would begin it anew, for bots as well."""
    HERE.balances(real.pk)
    an_hour = timezone.now() - timedelta(hours=1)
    Snapshot.objects.exclude(account=None).update(read_at=an_hour, tried_at=an_hour)
    proxy.on("BalanceEx", faults.error("EGeneral:Temporary lockout"))
    assert HERE.balances(real.pk)
    before = len(proxy.requests())
    assert HERE.balances(real.pk)
    with pytest.raises(Unavailable, match="until somebody tries it again"):
        HERE.deposits(real.pk, DepositQuery())
    assert len(proxy.requests()) == before
