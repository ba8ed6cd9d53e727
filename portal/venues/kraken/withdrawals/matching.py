"""Which of the rows that the exchange lists could be a withdrawal whose answer was lost (reference, Fencing)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from portal.venues.kraken.reading import shapes

# The exchange's clock need not be ours.
SKEW: Final = timedelta(minutes=2)
# The exchange's oldest assets have a letter before their names; no later one has.
LETTERED: Final = frozenset(
    {
        "XETC", "XETH", "XLTC", "XMLN", "XREP", "XXBT", "XXDG", "XXLM", "XXMR", "XXRP", "XZEC",
        "ZAUD", "ZCAD", "ZEUR", "ZGBP", "ZJPY", "ZUSD",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sought:
    """What we sent. `amount` is what was to leave the balance, fee included; `since` is when it was agreed to."""

    asset: str
    key: str
    address: str
    amount: Decimal
    since: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """A withdrawal as the exchange lists it: `amount` arrives, and with `fee` it left the balance there.

    `row` is all that it says, as it says it.
    """

    refid: str
    asset: str
    key: str
    address: str
    amount: Decimal
    fee: Decimal
    at: datetime
    status: str
    status_prop: str
    txid: str
    row: Mapping[str, Any]

    @property
    def gross(self) -> Decimal:
        """What left the balance."""
        return self.amount + self.fee


def listed(row: Mapping[str, Any]) -> Listed | None:
    """A row of `WithdrawStatus`; None if it lacks what it is known by, for then it is nobody's."""
    try:
        return Listed(
            refid=_text(row["refid"]),
            asset=_text(row["asset"]),
            key=_text(row.get("key")),
            address=_text(row.get("info")),
            amount=_number(row["amount"]),
            fee=_number(row.get("fee")),
            at=datetime.fromtimestamp(float(row["time"]), UTC),
            status=_text(row.get("status")),
            status_prop=_text(row.get("status-prop")),
            txid=_text(row.get("txid")),
            row=row,
        )
    except (KeyError, TypeError, ValueError, OverflowError, OSError, shapes.OtherShape):
        return None


def candidates(sought: Sought, rows: Iterable[Listed], *, known: Collection[str]) -> list[Listed]:
    """Those that could be what we sent, in the order they are listed. `known` are the references of other withdrawals.

    The exchange lists what arrives and what it took; we know what left, so both together are compared.
    """
    earliest = (sought.since - SKEW).replace(microsecond=0)
    return [
        row
        for row in rows
        if row.refid
        and row.refid not in known
        and _leads_there(sought, row)
        and plain_asset(row.asset) == plain_asset(sought.asset)
        and row.gross == sought.amount
        and row.at >= earliest
    ]


def plain_asset(name: str) -> str:
    """One spelling for both of the exchange's: `XXBT` and `XBT`, `ZUSD` and `USD`."""
    return name[1:] if name in LETTERED else name


def _leads_there(sought: Sought, row: Listed) -> bool:
    """By the address's name; a row without one by the address itself."""
    return row.key == sought.key if row.key else row.address == sought.address


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> Decimal:
    return Decimal(0) if value in (None, "") else shapes.exact(str(value) if isinstance(value, float) else value)
