"""Money on its way into an Account at its exchange. Making an address is the exchange's page's, or a bot's."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from portal.core.errors import Invalid, Unavailable
from portal.venues.errors import UnknownMethod
from portal.venues.kraken.reading import catalogue, shapes, snapshots, windows
from portal.venues.kraken.reading.names import Names
from portal.venues.kraken.reading.shapes import OtherShape, Row
from portal.venues.kraken.reading.snapshots import NotAnswered, Question
from portal.venues.kraken.upstream.outcomes import Meaning, meaning
from portal.venues.types import DepositAddress, DepositPage, DepositQuery, DepositRow, DepositStage, Part

PERMISSION: Final = "query-funds"
STAGES: Final = {
    "Initial": DepositStage.PENDING,
    "Pending": DepositStage.PENDING,
    "Settled": DepositStage.SETTLED,
    "Success": DepositStage.SUCCESS,
    "Failure": DepositStage.FAILURE,
}
# What stands beside a status, in words.
PROPS: Final = {"return": "being sent back", "onhold": "held by the exchange"}
NO_CURSOR: Final = "The exchange knows no such place in this list."
NO_METHOD: Final = "The asset does not come in that way."
NEW_THERE: Final = "A new deposit address is made at the exchange, or by a bot whose key may deposit."
Page = tuple[list[Row], str | None]


def page(account_id: int, query: DepositQuery) -> DepositPage:
    """Newest first; only the newest page of everything is kept.

    Raises: Invalid for a cursor that the exchange does not know; Unavailable.
    """
    asset = catalogue.known().asset(query.asset).id if query.asset else ""
    narrowed: dict[str, Any] = {
        **({"asset": asset} if asset else {}),
        **({"method": query.method} if query.method else {}),
        **({"start": windows.seconds(query.since)} if query.since else {}),
        **({"end": windows.seconds(query.until)} if query.until else {}),
    }
    fields = {**narrowed, "limit": query.limit, "cursor": query.cursor or True}
    question = Question("DepositStatus", _page, fields, permission=PERMISSION)
    if narrowed or query.cursor:
        rows, following = _further(account_id, question)
    else:
        rows, following = snapshots.kept(account_id, Part.DEPOSITS, question)
    names = catalogue.known()
    told = windows.seen((_row(row, names) for row in rows), lambda row: row.at, query.seen_from, query.seen_before)
    return DepositPage(told[: query.limit], following)


def addresses(account_id: int, asset: str, method: str) -> Sequence[DepositAddress]:
    """Where to send; asked each time, since nobody should send to what was an address once.

    Raises: UnknownAsset, UnknownMethod; Unavailable.
    """
    fields = {"asset": catalogue.asset(asset).id, "method": method}
    question = Question("DepositAddresses", _addresses, fields, permission=PERMISSION)
    try:
        return snapshots.asked(account_id, Part.DEPOSITS, question)
    except NotAnswered as error:
        if meaning(error.errors) is Meaning.REFUSED:
            raise UnknownMethod(NO_METHOD, field="method") from error
        raise


def refuse_new() -> None:
    """Raises: Unavailable: nothing is made by looking."""
    raise Unavailable(NEW_THERE)


def _further(account_id: int, question: Question[Page]) -> Page:
    try:
        return snapshots.asked(account_id, Part.DEPOSITS, question)
    except NotAnswered as error:
        if meaning(error.errors) is Meaning.REFUSED:
            raise Invalid(NO_CURSOR, field="cursor") from error
        raise


def _page(answer: object) -> Page:
    """The rows, and where the next page begins: by name where there are pages, else as a list."""
    if isinstance(answer, list):
        rows, following = shapes.listed(answer), None
    else:
        found = shapes.mapping(answer)
        rows = shapes.listed(next((found[name] for name in ("deposit", "deposits") if name in found), None))
        following = shapes.text(found, "next_cursor", "") or None
    for row in rows:
        _row(row, Names())
    return rows, following


def _row(row: Row, names: Names) -> DepositRow:
    amount, fee = shapes.number(row, "amount"), shapes.number(row, "fee", "0")
    asset = names.asset(shapes.text(row, "asset"), amount, fee)
    status, prop = shapes.text(row, "status"), shapes.text(row, "status-prop", "")

    def units(value: Decimal) -> int:
        return int(value.scaleb(asset.decimals))

    words = PROPS.get(prop, prop)
    return DepositRow(
        reference=shapes.text(row, "refid"),
        asset=asset,
        method=shapes.text(row, "method", ""),
        network=shapes.text(row, "network", ""),
        address=shapes.text(row, "info", ""),
        txid=shapes.text(row, "txid", ""),
        amount_units=units(amount),
        fee_units=units(fee),
        at=shapes.moment(row, "time"),
        stage=STAGES.get(status, DepositStage.PENDING),
        said=words if status in STAGES else f"{status} {words}".strip(),
    )


def _addresses(answer: object) -> list[DepositAddress]:
    return [
        DepositAddress(
            shapes.text(row, "address"), shapes.text(row, "memo", "") or _tag(row), is_new=shapes.flag(row, "new")
        )
        for row in shapes.listed(answer)
    ]


def _tag(row: Row) -> str:
    tag = row.get("tag")
    if tag is not None and not isinstance(tag, str | int):
        raise OtherShape("no tag")
    return "" if tag is None else str(tag)
