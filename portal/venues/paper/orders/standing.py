"""All that has to be known of an Account before an order of it is taken in, looked at in one statement."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from portal.core.database.at_hand import hand
from portal.core.database.prepared import instant
from portal.core.database.reading import BEFORE, Question, Reading, Rows
from portal.venues.paper import clock, due
from portal.venues.paper.due import IS_DUE
from portal.venues.paper.ledger import balances
from portal.venues.paper.ledger.models import Balance
from portal.venues.paper.orders import traded_days
from portal.venues.paper.orders.models import TradingCounter
from portal.venues.paper.prices import source

STANDING: Final = Question(
    stale=IS_DUE,
    select=f"""
    SELECT situation.*, counter.thousandths, counter.at, {balances.COLUMNS}
    FROM (SELECT
        (SELECT count(*) FROM paper_order WHERE account_id = %(account)s AND status = 'open' AND pair = %(pair)s)
            AS open_orders,
        EXISTS (SELECT 1 FROM paper_order WHERE account_id = %(account)s AND status = 'open'
            AND cl_ord_id = %(cl_ord_id)s) AS is_taken,
        (SELECT sum(value_units) FROM paper_tradedday WHERE account_id = %(account)s AND "on" >= %(since)s) AS traded,
        (SELECT o.api_tier FROM accounts_account AS a JOIN accounts_organization AS o ON o.id = a.organization_id
            WHERE a.id = %(account)s) AS tier
    ) AS situation
    LEFT JOIN paper_tradingcounter AS counter ON counter.account_id = %(account)s AND counter.pair = %(pair)s
    LEFT JOIN paper_balance AS b ON b.account_id = %(account)s
""",  # noqa: S608  (nothing of a request is in it)
    order="asked.id",
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the Account stood at `at`, under its lock.

    `balances` by asset id; `traded_units` in thirty days, in units of the fees' currency; `open_orders` in the pair,
    whose trading counter is None if it never counted; `is_taken` if an open order has the client id.
    """

    at: datetime
    balances: dict[str, Balance]
    tier: str
    traded_units: int
    open_orders: int
    counter: TradingCounter | None
    is_taken: bool


def locked(account_id: int, pair_id: str, cl_ord_id: str | None) -> Standing:
    """Take the Account's lock, bring it up to now, and look."""
    return clock.caught_up(account_id, partial(_asked, account_id, pair_id, cl_ord_id))


def _asked(account_id: int, pair_id: str, cl_ord_id: str | None, now: datetime) -> Reading[Standing]:
    def told(rows: Rows) -> Standing:
        open_orders, is_taken, traded, tier, thousandths, counted_at = rows[0][BEFORE : BEFORE + 6]
        counter = None
        if thousandths is not None:
            counter = TradingCounter(
                account_id=account_id, pair=pair_id, thousandths=thousandths, at=instant(counted_at)
            )
        return Standing(
            at=now,
            balances={row.asset: row for row in balances.of_rows(account_id, (row[BEFORE + 6 :] for row in rows))},
            tier=tier,
            traded_units=int(traded or 0),
            open_orders=open_orders,
            counter=counter,
            is_taken=bool(is_taken),
        )

    since = hand.wrapper.ops.adapt_datefield_value(traded_days.since(now))
    asked = {"pair": pair_id, "cl_ord_id": cl_ord_id, "since": since}
    return Reading(STANDING, {**due.parameters(account_id, source.path().key, now), **asked}, told)
