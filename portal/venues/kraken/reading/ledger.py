"""What moved in an Account, by the exchange's ledger; what our own withdrawals moved goes by our own reference."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from portal.core.errors import Unavailable
from portal.venues.errors import UnknownLedgerId
from portal.venues.kraken.models import Withdrawal
from portal.venues.kraken.reading import catalogue, shapes, snapshots, windows
from portal.venues.kraken.reading.names import Names
from portal.venues.kraken.reading.shapes import Row
from portal.venues.kraken.reading.snapshots import NotAnswered, Question
from portal.venues.kraken.upstream.outcomes import Meaning, meaning
from portal.venues.types import AsOf, LedgerPage, LedgerQuery, LedgerRow, Part

ROWS: Final = 50
PERMISSION: Final = "query-ledger"
NO_ROW: Final = "The exchange has no such row of this Account's ledger."
WITHDRAWAL: Final = "withdrawal"


def page(account_id: int, query: LedgerQuery) -> LedgerPage:
    """Fifty rows at most, newest first. Only the newest page of everything is kept, and filtered without the exchange.

    Raises: UnknownLedgerId; Unavailable.
    """
    is_newest = _is_newest(query)
    rows = snapshots.kept(account_id, Part.LEDGER, _newest()) if is_newest else _further(account_id, query)
    told = _told(account_id, rows)
    return LedgerPage(windows.seen(told, lambda row: row.at, query.seen_from, query.seen_before), None)


def rows_of(account_id: int, ids: Sequence[str]) -> Sequence[LedgerRow]:
    """Those of these ids that the exchange has. Raises: Unavailable."""
    if not ids:
        return ()
    question = Question("QueryLedgers", shapes.rows, {"id": ",".join(ids)}, permission=PERMISSION)
    return _told(account_id, snapshots.asked(account_id, Part.LEDGER, question))


def _is_newest(query: LedgerQuery) -> bool:
    bounds = (query.assets, query.kind, query.after, query.until, query.after_id, query.until_id, query.offset)
    return not any(bounds)


def _newest() -> "Question[list[tuple[str, Row]]]":
    return Question("Ledgers", _rows, {"without_count": True}, permission=PERMISSION)


def _further(account_id: int, query: LedgerQuery) -> list[tuple[str, Row]]:
    covered = _covered(account_id, query)
    if covered is not None:
        return covered
    names = catalogue.known()
    assets = [names.asset(name).id for name in query.assets]
    fields: dict[str, Any] = {
        "without_count": True,
        **({"asset": ",".join(assets)} if assets else {}),
        **({"type": query.kind} if query.kind else {}),
        **windows.bounds(query.after, query.until, query.after_id, query.until_id),
        **({"ofs": query.offset} if query.offset else {}),
    }
    try:
        return snapshots.asked(account_id, Part.LEDGER, Question("Ledgers", _rows, fields, permission=PERMISSION))
    except NotAnswered as error:
        if (query.after_id or query.until_id) and meaning(error.errors) is Meaning.REFUSED:
            raise UnknownLedgerId(NO_ROW) from error
        return _out_of_the_newest(account_id, query, assets, error)
    except Unavailable as error:
        return _out_of_the_newest(account_id, query, assets, error)


def _covered(account_id: int, query: LedgerQuery) -> list[tuple[str, Row]] | None:
    """What moved of one asset in a stretch of time that the newest page is known to hold whole; nobody is asked again.

    None where it does not, or that is not the question.
    """
    if query.after is None or query.until is None or len(query.assets) != 1:
        return None
    if not _is_newest(replace(query, assets=(), after=None, until=None)):
        return None
    found = snapshots.last(account_id, Part.LEDGER, _newest())
    if found is None:
        return None
    rows, read_at = found
    times = [shapes.moment(row, "time") for _, row in rows]
    if read_at < query.until or (len(rows) >= ROWS and min(times) > query.after):
        return None
    names = catalogue.known()
    wanted = names.asset(query.assets[0]).id
    return [
        (name, row)
        for (name, row), at in zip(rows, times, strict=True)
        if query.after < at <= query.until and names.asset(shapes.text(row, "asset")).id == wanted
    ]


def _out_of_the_newest(
    account_id: int, query: LedgerQuery, assets: list[str], trouble: Unavailable
) -> list[tuple[str, Row]]:
    """What the newest page that is known has of one asset. Raises: `trouble` if another page was asked for."""
    if not _is_newest(replace(query, assets=())):
        raise trouble
    rows = snapshots.kept(account_id, Part.LEDGER, _newest())
    snapshots.say(account_id, Part.LEDGER, AsOf(snapshots.as_of(account_id, Part.LEDGER).at, trouble.message))
    names = catalogue.known()
    return [(name, row) for name, row in rows if names.asset(shapes.text(row, "asset")).id in assets]


def _rows(answer: object) -> list[tuple[str, Row]]:
    found = shapes.rows(shapes.part_of(answer, "ledger"))
    for name, row in found:
        _row(name, row, {}, Names())
    return found


def _told(account_id: int, rows: list[tuple[str, Row]]) -> tuple[LedgerRow, ...]:
    refids = {shapes.text(row, "refid", "") for _, row in rows if row.get("type") == WITHDRAWAL}
    ours: dict[str, str] = {}
    if refids:
        sent = Withdrawal.objects.filter(account=account_id, refid__in=refids)
        ours = {refid: reference for refid, reference in sent.values_list("refid", "reference") if refid}
    names = catalogue.known()
    told = [_row(name, row, ours, names) for name, row in rows]
    return tuple(sorted(told, key=lambda row: row.at, reverse=True)[:ROWS])


def _row(name: str, row: Row, ours: dict[str, str], names: Names) -> LedgerRow:
    amount, fee = shapes.number(row, "amount"), shapes.number(row, "fee", "0")
    balance = shapes.number(row, "balance", "0")
    asset = names.asset(shapes.text(row, "asset"), amount, fee, balance)
    refid = shapes.text(row, "refid", "")

    def units(value: Decimal) -> int:
        return int(value.scaleb(asset.decimals))

    return LedgerRow(
        id=name,
        reference=ours.get(refid, refid),
        at=shapes.moment(row, "time"),
        kind=shapes.text(row, "type"),
        subkind=shapes.text(row, "subtype", ""),
        asset=asset,
        amount_units=units(amount),
        fee_units=units(fee),
        balance_units=units(balance),
    )
