"""Money that left by the exchange's ledger, and that no list of withdrawals tells of (`Ledgers`)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from portal.core.display.phrases import dated
from portal.core.money import plain
from portal.venues.kraken.alarms import raise_alarm
from portal.venues.kraken.credentials import finding
from portal.venues.kraken.models import Alarm, Connection
from portal.venues.kraken.reading import shapes
from portal.venues.kraken.reading.catalogue import code_of
from portal.venues.kraken.watch_models import LISTED_LENGTH, Watch
from portal.venues.kraken.watching import calls, known, withdrawals

METHOD: Final = "Ledgers"
PART: Final = "ledger"
ROWS: Final = 50
# What the ledger has may take so long to stand in the list of withdrawals too.
GRACE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the ledger about a withdrawal; `amount` is signed."""

    refid: str
    asset: str
    amount: Decimal
    fee: Decimal
    at: datetime


def look(connection: Connection, watch: Watch) -> None:
    """Read one page and judge its entries; nothing is judged that the list of withdrawals was not read up to.

    Raises: as `calls.result`; OtherShape.
    """
    since = watch.since or connection.connected_at.replace(microsecond=0)
    until = watch.until or _judged_until(connection.account_id)
    if until is None or until <= since:
        return
    offset = int(watch.page or 0)
    # `start` is exclusive, and whole seconds are what every exchange understands.
    span = {"start": int(since.timestamp()) - 1, "end": int(until.timestamp())}
    fields = {"type": "withdrawal", **span, "ofs": offset, "without_count": True}
    # Never with the credential that withdraws: it should not be let see this, and what is denied to it stops it.
    answer = calls.result(finding.for_rest(connection.account_id, calls.LEDGER), METHOD, fields)
    found = [_entry(row) for _, row in shapes.rows(shapes.part_of(answer, "ledger"))]
    with transaction.atomic():
        now = Watch.objects.select_for_update().get(pk=watch.pk)
        if (now.page, now.since, now.until) != (watch.page, watch.since, watch.until):
            return
        held = [at.timestamp() for at in _judge(connection, found)]
        if offset and now.known.get("held"):
            held.append(float(now.known["held"]))
        if len(found) >= ROWS:
            now.page, now.until, now.known = str(offset + len(found)), until, {"held": min(held, default=0)}
        else:
            now.since = min([until, *(datetime.fromtimestamp(at, UTC) - timedelta(seconds=1) for at in held)])
            now.page, now.until, now.known = "", None, {}
        now.save(update_fields=["page", "until", "since", "known"])


def _judged_until(account_id: int) -> datetime | None:
    """How far the list of withdrawals was read, less what may come late; None before it was read once."""
    row = Watch.objects.filter(account=account_id, part=withdrawals.PART).first()
    through = parse_datetime(row.known.get("through", "")) if row else None
    return None if through is None else min(through, timezone.now()) - GRACE


def _judge(connection: Connection, entries: list[Entry]) -> list[datetime]:
    """Raise an alarm for each that nothing accounts for; when those were booked that could still be ours."""
    here = known.known(connection.account_id, [entry.refid for entry in entries])
    held = []
    for entry in entries:
        if entry.refid in here.refids or entry.at < connection.connected_at:
            continue
        moved = abs(entry.amount)
        if here.could_be_ours(amounts=(moved, moved + entry.fee), at=entry.at):
            held.append(entry.at)
            continue
        _tell(connection, entry)
    return held


def _tell(connection: Connection, entry: Entry) -> None:
    account = connection.account
    said = (
        f"The exchange's ledger of {account.name} shows a withdrawal of {plain(abs(entry.amount))} "
        f"{code_of(entry.asset)}, booked {dated(entry.at)} UTC, which nothing here asked for "
        "and its list of withdrawals does not tell of. "
        f"The exchange calls it {entry.refid}."
    )
    raise_alarm(account, Alarm.Kind.LEDGER, subject=entry.refid, said=said, once=True)


def _entry(row: Any) -> Entry:  # noqa: ANN401
    refid = shapes.text(row, "refid")
    if not 0 < len(refid) <= LISTED_LENGTH:
        raise shapes.OtherShape("no reference")
    return Entry(
        refid=refid,
        asset=shapes.text(row, "asset"),
        amount=shapes.number(row, "amount"),
        fee=shapes.number(row, "fee", "0"),
        at=datetime.fromtimestamp(float(shapes.number(row, "time")), UTC),
    )
