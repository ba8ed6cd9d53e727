"""Fair shares of the exchange's limits: each Service User at work, and the portal, has an equal part of its counter.

The exchange counts the calls of an account, whoever makes them (reference §5). So whoever floods has its own calls
refused here, before they could get those of all others refused there.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.conf import settings
from django.db import connection

from portal.core.database.prepared import fetch
from portal.venues.kraken.bot_models import Share
from portal.venues.kraken.models import Tier

PORTAL: Final = 0
# Who has called within that time is at work, and has a part.
AT_WORK_SECONDS: Final = 60.0
# The exchange's counter: its maximum, and what leaks from it in a second.
COUNTERS: Final[Mapping[str, tuple[float, float]]] = {
    Tier.STARTER.value: (15.0, 0.33),
    Tier.INTERMEDIATE.value: (20.0, 0.5),
    Tier.PRO.value: (20.0, 1.0),
}
# What the counter takes for one call; 1 for every other one.
COSTS: Final[Mapping[str, float]] = {
    **dict.fromkeys(("Ledgers", "QueryLedgers", "TradesHistory", "ClosedOrders"), 2.0),
    **dict.fromkeys(("AddOrder", "AddOrderBatch", "AmendOrder", "EditOrder", "CancelOrder", "CancelOrderBatch"), 0.0),
}

# One statement: whose part is how large now, how far its level has fallen, and whether this call still fits. A call
# that costs more than a whole part fits where the level is zero. The level stops at twice the part.
TAKE: Final = """
    INSERT INTO kraken_share AS mine (account_id, who, level, maximum, decay, called_at, is_over, day, calls, refused)
    SELECT held.account_id, {who}, {cost}, held.maximum / (parts.bots + 1), held.decay / (parts.bots + 1), {now},
           {false}, {day}, 1, 0
    FROM (
        SELECT account_id,
               CASE tier {maxima} END AS maximum,
               CASE tier {decays} END AS decay
        FROM kraken_connection WHERE account_id = %(account)s
    ) held
    CROSS JOIN (
        SELECT COUNT(*) + {is_bot} AS bots FROM kraken_share
        WHERE account_id = %(account)s AND who <> 0 AND who <> {who} AND called_at > {at_work}
    ) parts
    WHERE {true}
    ON CONFLICT (account_id, who) DO UPDATE SET
        level = CASE WHEN {is_over} THEN {fallen}
                ELSE {least}({fallen} + {cost}, {most}(2 * excluded.maximum, {fallen})) END,
        maximum = excluded.maximum,
        decay = excluded.decay,
        called_at = {most}(mine.called_at, excluded.called_at),
        is_over = {is_over},
        day = excluded.day,
        calls = CASE WHEN mine.day = excluded.day THEN mine.calls ELSE 0 END + CASE WHEN {is_over} THEN 0 ELSE 1 END,
        refused = CASE WHEN mine.day = excluded.day THEN mine.refused ELSE 0 END + CASE WHEN {is_over} THEN 1 ELSE 0 END
    RETURNING is_over
"""


def take(account_id: int, who: int, method: str, *, may_refuse: bool = True) -> bool:
    """Count one call of the Service User, or of PORTAL, to its part; False if that is used up and `may_refuse`.

    Calls that cost nothing are counted and never refused. Without limits (`PORTAL_API_LIMITS`) nothing is.
    """
    now, cost = time.time(), COSTS.get(method, 1.0)
    given = {
        "account": account_id,
        "who": who,
        "is_bot": int(who != PORTAL),
        "cost": cost,
        "now": now,
        "at_work": now - AT_WORK_SECONDS,
        "day": connection.ops.adapt_datefield_value(datetime.now(UTC).date()),
    }
    may_refuse = may_refuse and settings.API_LIMITS and cost > 0
    rows = fetch(_statement(connection.vendor, may_refuse=may_refuse), given)
    return not (rows and rows[0][0])


@dataclass(frozen=True, slots=True)
class Use:
    """How much of the exchange's limits one user of an Account has used today; `service_user_id` 0 is the portal.

    `level` of `maximum` is what its counter stands at now.
    """

    service_user_id: int
    calls: int
    refused: int
    level: float
    maximum: float
    is_at_work: bool


def uses(account_id: int) -> list[Use]:
    """Who has called the exchange of the Account today, most calls first."""
    now, today = time.time(), datetime.now(UTC).date()
    rows = Share.objects.filter(account_id=account_id, day=today).order_by("-calls", "who")
    return [
        Use(
            service_user_id=row.who,
            calls=row.calls,
            refused=row.refused,
            level=max(0.0, row.level - max(0.0, now - row.called_at) * row.decay),
            maximum=row.maximum,
            is_at_work=row.called_at > now - AT_WORK_SECONDS,
        )
        for row in rows
    ]


def _statement(vendor: str, *, may_refuse: bool) -> str:
    return _STATEMENTS[vendor, may_refuse]


def _written(vendor: str, *, may_refuse: bool) -> str:
    is_sqlite = vendor == "sqlite"
    # PostgreSQL does not find out by itself what these are.
    kinds = {"who": "bigint", "cost": "float8", "now": "float8", "at_work": "float8", "day": "date", "is_bot": "int"}
    typed = {name: f"%({name})s" if is_sqlite else f"CAST(%({name})s AS {kind})" for name, kind in kinds.items()}
    cost = typed["cost"]
    most, least = ("max", "min") if is_sqlite else ("greatest", "least")
    passed = f"{most}(0.0, excluded.called_at - mine.called_at)"
    fallen = f"{most}(0.0, mine.level - {passed} * excluded.decay)"
    is_over = (
        f"({fallen} + {cost} > {most}(excluded.maximum, {cost}))" if may_refuse else ("0" if is_sqlite else "FALSE")
    )
    return TAKE.format(
        **typed,
        maxima=" ".join(f"WHEN '{tier}' THEN {maximum}" for tier, (maximum, _) in COUNTERS.items()),
        decays=" ".join(f"WHEN '{tier}' THEN {decay}" for tier, (_, decay) in COUNTERS.items()),
        true="1" if is_sqlite else "TRUE",
        false="0" if is_sqlite else "FALSE",
        most=most,
        least=least,
        fallen=fallen,
        is_over=is_over,
    )


_STATEMENTS: Final = {
    (vendor, may_refuse): _written(vendor, may_refuse=may_refuse)
    for vendor in ("sqlite", "postgresql")
    for may_refuse in (True, False)
}
