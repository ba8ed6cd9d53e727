"""Pages and counts by rank are those of the lists by definition, whatever bounds them and however they grew."""

from dataclasses import replace
from random import Random

import pytest

from portal.venues.paper import reconciliation
from portal.venues.paper.ledger.models import Posting
from portal.venues.paper.orders.models import Order, Trade
from portal.venues.types import ClosedQuery, CloseTime, LedgerQuery, TradeQuery
from tests.venues.conftest import open_account
from tests.venues.ordering import VENUE
from tests.venues.paper.ranks import rows

pytestmark = pytest.mark.usefixtures("clock")
SEEDS = (1, 2, 3)


def bounded(query, chance: Random, names, until):
    """The query with some bounds, each on its own as likely as not there."""
    instants = ("after", "until", "seen_from", "seen_before")
    given = {word: rows.at(chance.randrange(until)) for word in instants if chance.random() < 0.35}
    given |= {word: chance.choice(names) for word in ("after_id", "until_id") if chance.random() < 0.15}
    return replace(query, offset=chance.choice((0, 0, 1, 7, 49, 50, 60, 120)), **given)


def same(page, expected, query, name):
    ids = [getattr(row, name) for row in expected[query.offset : query.offset + 50]]
    return ([row.id for row in page.rows], page.count) == (ids, expected.count())


@pytest.mark.parametrize("seed", SEEDS)
def test_closed_orders_are_those_that_were_asked_for(empty, seed):
    chance = Random(seed)
    rows.orders(empty, chance)
    rows.orders(open_account(), chance, 40)
    names = list(Order.objects.filter(account=empty).values_list("txid", flat=True))
    for _ in range(150):
        named = chance.choice(({}, {}, *rows.NAMES))
        query = bounded(ClosedQuery(close_time=chance.choice(list(CloseTime)), **named), chance, names, 300)
        assert same(VENUE.closed_orders(empty.pk, query), rows.asked_orders(empty, query), query, "txid"), query


@pytest.mark.parametrize("seed", SEEDS)
def test_ledger_entries_are_those_that_were_asked_for(empty, seed):
    chance = Random(seed)
    rows.postings(empty, chance)
    rows.postings(open_account(), chance, 40)
    names = list(Posting.objects.filter(account=empty).values_list("ledger_id", flat=True))
    for _ in range(150):
        assets = tuple(chance.sample((*rows.ASSETS, "SOL"), chance.choice((0, 0, 1, 2, 3))))
        kind = chance.choice(("", "", *rows.KINDS, "staking"))
        query = bounded(LedgerQuery(assets=assets, kind=kind), chance, names, 70)
        assert same(VENUE.ledger(empty.pk, query), rows.asked_postings(empty, query), query, "ledger_id"), query


@pytest.mark.parametrize("seed", SEEDS)
def test_trades_are_those_that_were_asked_for(empty, seed):
    chance = Random(seed)
    rows.trades(empty, chance)
    rows.trades(open_account(), chance, 40)
    names = list(Trade.objects.filter(account=empty).values_list("txid", flat=True))
    for _ in range(150):
        query = bounded(TradeQuery(), chance, names, 70)
        assert same(VENUE.trades(empty.pk, query), rows.asked_trades(empty, query), query, "txid"), query


def test_what_was_written_in_any_order_is_numbered_without_gaps(empty):
    chance = Random(7)
    for account in (empty, open_account()):
        rows.orders(account, chance)
        rows.postings(account, chance)
        rows.trades(account, chance)

    assert [difference for difference in reconciliation.differences() if "list" in difference] == []
