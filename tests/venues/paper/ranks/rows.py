"""Rows of the three lists, past everything that decides what may happen; and what the lists are by definition."""

from datetime import timedelta
from random import Random
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from portal.venues.paper.ledger.models import Book, Entry, Posting
from portal.venues.paper.orders.models import Order, Trade
from portal.venues.types import ClosedQuery, CloseTime, LedgerQuery, TradeQuery
from tests.venues.conftest import START

ASSETS = ("XXBT", "XETH", "ZUSD")
KINDS = ("deposit", "withdrawal", "trade")
NAMES: tuple[dict[str, Any], ...] = ({}, {"userref": 1}, {"userref": -2}, {"cl_ord_id": "one"}, {"cl_ord_id": "two"})


def at(seconds):
    return START + timedelta(seconds=seconds)


def order(account, number, opened, closed, **names):
    """Whoever is not closed is open."""
    ended = {"status": "open", "due_at": at(10**9)} if closed is None else {"status": "canceled"}
    return Order(
        account=account,
        txid=f"O{account.pk}-{number}",
        pair="XXBTZUSD",
        side="buy",
        kind="limit",
        time_in_force="GTC",
        opened_at=at(opened),
        closed_at=None if closed is None else at(closed),
        price_units=1,
        volume_units=1,
        maker_rate=0,
        **ended,
        **names,
    )


def orders(account, chance: Random, count=150):
    """Closed orders of short and long lives, of which some close later than they should be written."""
    for number in range(count):
        opened = chance.randrange(200)
        closed = opened + chance.choice((0, 0, 1, 1, 2, 9, 10, 11, 90, 1500))
        names = chance.choice(NAMES)
        if chance.random() < 0.5:
            order(account, number, opened, closed, **names).save()
        else:
            waits = order(account, number, opened, None, **({} if "cl_ord_id" in names else names))
            waits.save()
            waits.status, waits.closed_at, waits.due_at = "canceled", at(closed), None
            waits.save()


def entry(number, kind, seconds):
    return Entry.objects.create(kind=kind, reference=f"R{number}", at=at(seconds))


def postings(account, chance: Random, count=150):
    """Legs in any order of time, several in one statement, with legs in other books among them."""
    for number in range(count):
        booked = entry(f"{account.pk}-{number}", chance.choice(KINDS), chance.randrange(60))
        legs = [
            Posting(entry=booked, book=Book.ACCOUNT, account=account, asset=asset, units=1, at=booked.at,
                ledger_id=f"L{account.pk}-{number}-{asset}", balance_units=1)
            for asset in chance.sample(ASSETS, chance.choice((1, 2)))
        ]  # fmt: skip
        Posting.objects.bulk_create(
            [*legs, Posting(entry=booked, book=Book.MARKET, asset="XXBT", units=1, at=booked.at)]
        )


def trades(account, chance: Random, count=120):
    """Trades of one order, in any order of time."""
    made = order(account, "traded", 0, 10**6)
    made.save()
    for number in range(count):
        seconds = chance.randrange(60)
        Trade.objects.create(
            account=account,
            order=made,
            entry=entry(f"{account.pk}-T{number}", "trade", seconds),
            txid=f"T{account.pk}-{number}",
            at=at(seconds),
            price_units=1,
            volume_units=1,
            cost_units=1,
            fee_units=0,
            value_units=1,
            is_maker=False,
        )


def asked_orders(account, query: ClosedQuery) -> QuerySet[Order]:
    """The list by its definition in `types.orders`, every row of it looked at."""
    found = Order.objects.filter(account=account, closed_at__isnull=False)
    if query.userref is not None:
        found = found.filter(userref=query.userref)
    if query.cl_ord_id is not None:
        found = found.filter(cl_ord_id=query.cl_ord_id)
    bounded = {
        CloseTime.OPEN: ["opened_at"],
        CloseTime.CLOSE: ["closed_at"],
        CloseTime.BOTH: ["opened_at", "closed_at"],
    }
    for column in bounded[query.close_time]:
        found = _asked(found, query, column)
    if query.seen_from is not None:
        found = found.filter(opened_at__gte=query.seen_from)
    if query.seen_before is not None:
        found = found.filter(closed_at__lt=query.seen_before)
    placed: QuerySet[Order] = _placed(found, query, "closed_at", "txid").order_by("-closed_at", "-pk")
    return placed


def asked_postings(account, query: LedgerQuery) -> QuerySet[Posting]:
    found = Posting.objects.filter(account=account)
    if query.assets:
        found = found.filter(asset__in=query.assets)
    if query.kind:
        found = found.filter(entry__kind=query.kind)
    placed: QuerySet[Posting] = _history(found, query, "ledger_id")
    return placed


def asked_trades(account, query: TradeQuery) -> QuerySet[Trade]:
    placed: QuerySet[Trade] = _history(Trade.objects.filter(account=account), query, "txid")
    return placed


def _history(found, query, name):
    found = _asked(found, query, "at")
    if query.seen_from is not None:
        found = found.filter(at__gte=query.seen_from)
    if query.seen_before is not None:
        found = found.filter(at__lt=query.seen_before)
    return _placed(found, query, "at", name).order_by("-at", "-pk")


def _asked(found, query, column):
    if query.after is not None:
        found = found.filter(**{f"{column}__gt": query.after})
    return found if query.until is None else found.filter(**{f"{column}__lte": query.until})


def _placed(found, query, column, name):
    for named, word in ((query.after_id, "gt"), (query.until_id, "lt")):
        if named:
            row = found.model.objects.get(**{name: named})
            when = getattr(row, column)
            here = {column: when, f"pk__{word if word == 'gt' else 'lte'}": row.pk}
            found = found.filter(Q(**{f"{column}__{word}": when}) | Q(**here))
    return found


# PostgreSQL: very many rows in three statements. A second lies between any two; each order is open for a minute, trades
# once, and moves two assets. The ids begin behind those that were given.
BATCH = 5000
MANY = """
    INSERT INTO paper_order (account_id, txid, pair, side, kind, status, reason, time_in_force, is_post_only, userref,
        opened_at, closed_at, price_units, volume_units, filled_units, cost_units, fee_units, held_units, maker_rate,
        path, looked_step)
    SELECT %(account)s, 'O' || %(account)s || '-' || n, 'XXBTZUSD', 'buy', 'limit', 'closed', '', 'GTC', false, n %% 3,
        %(start)s + n * interval '1 second', %(start)s + (n + 60) * interval '1 second', 1, 1, 1, 1, 0, 0, 0, '', 0
    FROM generate_series(%(first)s, %(last)s) AS n;
    INSERT INTO paper_entry (kind, subkind, reference, at, sealed)
    SELECT 'trade', '', txid, closed_at, false FROM paper_order
    WHERE account_id = %(account)s AND closed_at BETWEEN %(from)s AND %(until)s ORDER BY closed_at;
    INSERT INTO paper_trade (account_id, order_id, entry_id, txid, at, price_units, volume_units, cost_units,
        fee_units, value_units, is_maker)
    SELECT o.account_id, o.id, e.id, o.txid, o.closed_at, 1, 1, 1, 0, 1, true
    FROM paper_order AS o JOIN paper_entry AS e ON e.kind = 'trade' AND e.reference = o.txid
    WHERE o.account_id = %(account)s AND o.closed_at BETWEEN %(from)s AND %(until)s ORDER BY o.closed_at;
    INSERT INTO paper_posting (entry_id, book, account_id, asset, units, fee_units, at, ledger_id, balance_units)
    SELECT t.entry_id, 'account', t.account_id, a.asset, 1, 0, t.at, t.txid || a.asset, 1
    FROM paper_trade AS t, (VALUES ('XXBT'), ('ZUSD')) AS a (asset)
    WHERE t.account_id = %(account)s AND t.at BETWEEN %(from)s AND %(until)s ORDER BY t.at
"""


def many(account, count):
    """So many closed orders and trades, and twice as many entries in the ledger.

    In batches: on a busy machine all at once may take longer than a statement is given.
    """
    with connection.cursor() as cursor:
        for first in range(1, count + 1, BATCH):
            last = min(first + BATCH - 1, count)
            given = {"account": account.pk, "start": START, "first": first, "last": last}
            for statement in MANY.split(";"):
                cursor.execute(statement, {**given, "from": at(first + 60), "until": at(last + 60)})
        cursor.execute("ANALYZE paper_order, paper_trade, paper_posting, paper_entry, paper_rank, paper_rankcount")
