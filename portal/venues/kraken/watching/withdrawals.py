"""Withdrawals at the exchange that nothing here asked for (`WithdrawStatus`), page by page, each told of once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from portal.core.display.phrases import dated
from portal.core.money import plain
from portal.venues.kraken.alarms import raise_alarm
from portal.venues.kraken.credentials import finding
from portal.venues.kraken.models import Alarm, Connection
from portal.venues.kraken.reading import shapes
from portal.venues.kraken.reading.catalogue import code_of
from portal.venues.kraken.watch_models import CURSOR_LENGTH, LISTED_LENGTH, Watch
from portal.venues.kraken.watching import calls, known
from portal.venues.kraken.watching.calls import NotAnswered

METHOD: Final = "WithdrawStatus"
PART: Final = "withdrawals"
ROWS: Final = 500
# Older ones can end after the Account was connected: then the ledger tells of them, and they are known.
BEFORE: Final = timedelta(days=30)
# What the exchange lists late stands this far back at most.
OVERLAP: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Listed:
    """One withdrawal as the exchange lists it. `amount` is what arrives, `fee` what the network takes beside it."""

    refid: str
    asset: str
    key: str
    address: str
    amount: Decimal
    fee: Decimal
    at: datetime
    status: str


def look(connection: Connection, watch: Watch) -> None:
    """Read one page and judge what it lists; the walk is over when there is no further one.

    Raises: as `calls.result`; OtherShape.
    """
    began = timezone.now()
    since = watch.since or connection.connected_at - BEFORE
    fields = {"cursor": watch.page or True, "limit": ROWS, "start": int(since.timestamp())}
    try:
        answer = calls.result(finding.for_looking(watch.account_id, calls.LEDGER), METHOD, fields)
    except NotAnswered:
        # The place to go on from may be one that the exchange has forgotten: the next round begins anew.
        Watch.objects.filter(pk=watch.pk).update(page="", until=None)
        raise
    rows, page = _read(answer)
    with transaction.atomic():
        now = Watch.objects.select_for_update().get(pk=watch.pk)
        if (now.page, now.since) == (watch.page, watch.since):
            _go_on(connection, now, since, rows, page, began)


def _go_on(
    connection: Connection, watch: Watch, since: datetime, rows: list[Listed], page: str, began: datetime
) -> None:
    """Judge the rows, and note where the next look begins: before what could still be ours."""
    is_first = not watch.page
    held = [at.timestamp() for at in _judge(connection, rows)]
    if not is_first and watch.known.get("held"):
        held.append(float(watch.known["held"]))
    newest = max([row.at for row in rows], default=since)
    until = max(newest, watch.until or newest)
    through = began.isoformat() if is_first else watch.known.get("began", began.isoformat())
    # A list that leads back to itself, or to nothing, is over.
    if page and rows and page != watch.page:
        watch.page, watch.until = page, until
        watch.known = {**watch.known, "held": min(held, default=0), "began": through}
    else:
        ends = max(since, until - OVERLAP)
        watch.since = min([ends, *(datetime.fromtimestamp(at, UTC) - timedelta(seconds=1) for at in held)])
        watch.page, watch.until, watch.known = "", None, {"through": through}
    watch.save(update_fields=["page", "until", "since", "known"])


def _judge(connection: Connection, rows: list[Listed]) -> list[datetime]:
    """Raise an alarm for each that nothing here asked for; when those began that could still be ours."""
    here = known.known(connection.account_id, [row.refid for row in rows])
    judged, held = [], []
    for row in rows:
        if row.refid in here.refids:
            continue
        if here.could_be_ours(key=row.key, address=row.address, amounts=(row.amount, row.amount + row.fee), at=row.at):
            held.append(row.at)
            continue
        judged.append(row.refid)
        # The exchange tells whole seconds.
        if row.at >= connection.connected_at.replace(microsecond=0):
            _tell(connection.account, row)
    known.keep(connection.account_id, judged)
    return held


def _tell(account: Account, row: Listed) -> None:
    fee = f" and a fee of {plain(row.fee)}" if row.fee else ""
    said = (
        f"A withdrawal from {account.name} that nothing here asked for: {plain(row.amount)} {code_of(row.asset)}{fee}, "
        f"to {row.key or 'an address without a name'} ({row.address}), begun {dated(row.at.astimezone(UTC))} UTC, "
        f"by now {row.status}. The exchange calls it {row.refid}."
    )
    raise_alarm(account, Alarm.Kind.FOREIGN_WITHDRAWAL, subject=row.refid, said=said, once=True)


def _read(answer: Any) -> tuple[list[Listed], str]:  # noqa: ANN401  (whatever JSON can be)
    """The rows, and the place to go on from, empty at the end. Raises: OtherShape."""
    if isinstance(answer, list):
        return [_listed(row) for row in shapes.listed(answer)], ""
    rows = shapes.mapping(answer).get("withdrawals")
    page = shapes.mapping(answer).get("next_cursor") or ""
    if not isinstance(page, str) or len(page) > CURSOR_LENGTH:
        raise shapes.OtherShape("no cursor")
    return [_listed(row) for row in shapes.listed(rows)], page


def _address(value: Any) -> str:  # noqa: ANN401
    """As much of it as can be shown: an invoice is longer than any address, and is told of all the same."""
    return value[: shapes.LONGEST_TEXT] if isinstance(value, str) else ""


def _listed(row: Mapping[str, Any]) -> Listed:
    refid = shapes.text(row, "refid")
    if not 0 < len(refid) <= LISTED_LENGTH:
        raise shapes.OtherShape("no reference")
    return Listed(
        refid=refid,
        asset=shapes.text(row, "asset"),
        key=shapes.text(row, "key", ""),
        address=_address(row.get("info")),
        amount=shapes.number(row, "amount"),
        fee=shapes.number(row, "fee", "0"),
        at=datetime.fromtimestamp(int(shapes.number(row, "time")), UTC),
        status=shapes.text(row, "status", "without a status"),
    )
