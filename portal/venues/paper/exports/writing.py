"""Writing exports: page by page into a file outside of any transaction, then in pieces into the database."""

import csv
import io
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import IO, Any, Final, TypeAlias, TypeVar

from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from portal.venues.paper import query_bounds
from portal.venues.paper.clock import catch_up
from portal.venues.paper.exports import columns
from portal.venues.paper.exports.models import Export, Piece
from portal.venues.paper.ledger import history
from portal.venues.paper.ledger.models import Posting
from portal.venues.paper.orders import trades
from portal.venues.paper.orders.models import Trade
from portal.venues.types import ExportFormat, ExportStatus, Report

M = TypeVar("M", bound=Model)
Place: TypeAlias = "tuple[datetime, int] | None"

# A moment in which an export may still be cancelled; then whoever asks for it, or `manage.py work`, has it written.
WAITS: Final = timedelta(seconds=1)
# A process that has not finished by then has ended.
GIVEN_UP: Final = timedelta(minutes=5)
ROWS_AT_ONCE: Final = 2_000
IN_MEMORY: Final = 1024 * 1024
PIECE: Final = 256 * 1024


def make_due(*, limit: int = 20, service_user_id: int | None = None) -> int:
    """Write what has waited long enough, of one Service User or of all, and say how many exports that were."""
    now = timezone.now()
    waiting = Export.objects.filter(_is_due(now), expires_at__gt=now)
    if service_user_id is not None:
        waiting = waiting.filter(service_user_id=service_user_id)
    due = list(waiting.order_by("created_at").values_list("pk", flat=True)[:limit])
    return sum(_make(pk) for pk in due)


def _is_due(now: datetime) -> Q:
    return Q(status=ExportStatus.QUEUED, created_at__lte=now - WAITS) | Q(
        status=ExportStatus.PROCESSING, started_at__lte=now - GIVEN_UP
    )


def _make(pk: int) -> bool:
    """Write one export, unless another process was faster."""
    now = timezone.now()
    taken = Export.objects.filter(_is_due(now), pk=pk).update(status=ExportStatus.PROCESSING, started_at=now)
    export = Export.objects.filter(pk=pk, started_at=now).first() if taken else None
    if export is None:
        return False
    # Whatever happened before its end is in it, though nobody has looked at the Account since.
    catch_up(export.account_id)
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        _write(export, file)
        file.seek(0)
        with transaction.atomic():
            # The process that took it up last is the one that counts; who cancelled meanwhile wins as well.
            done = Export.objects.filter(pk=pk, started_at=now, status=ExportStatus.PROCESSING).update(
                status=ExportStatus.PROCESSED, completed_at=timezone.now()
            )
            if not done:
                return False
            for number, content in enumerate(iter(lambda: file.read(PIECE), b"")):
                Piece.objects.create(export_id=pk, number=number, content=content)
    return True


def _write(export: Export, file: IO[bytes]) -> None:
    """The zip with its one table."""
    extension, delimiter = ("csv", ",") if export.format == ExportFormat.CSV else ("tsv", "\t")
    rows, table = _rows(export)
    names = [name for name in table if name in export.fields] or list(table)
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(f"{export.report}.{extension}", "w", force_zip64=True) as inner,
        io.TextIOWrapper(inner, encoding="utf-8", newline="") as text,
    ):
        writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(names)
        for row in rows:
            writer.writerow([table[name](row) for name in names])


def _rows(export: Export) -> "tuple[Iterator[Any], dict[str, Callable[[Any], str]]]":
    if export.report == Report.LEDGERS:
        return _ledgers(export), dict(columns.LEDGERS)
    return _trades(export), dict(columns.TRADES)


def _ledgers(export: Export) -> "Iterator[object]":
    own = Posting.objects.filter(_inside(export), account_id=export.account_id)
    place: Place = None
    while page := list(_beyond(own, place).select_related("entry")):
        yield from map(history.described, page)
        place = page[-1].at, page[-1].pk


def _trades(export: Export) -> "Iterator[object]":
    own = Trade.objects.filter(_inside(export), account_id=export.account_id)
    place: Place = None
    while page := trades.described(_beyond(own, place), with_ledgers=True):
        yield from page
        place = page[-1].at, page[-1].number


def _beyond(own: QuerySet[M], place: Place) -> QuerySet[M]:
    """The next page, oldest first. The plain bound lets the database begin where the last page ended."""
    if place is not None:
        own = own.filter(at__gte=place[0])
    return query_bounds.beyond(own, place, "at").order_by("at", "pk")[:ROWS_AT_ONCE]


def _inside(export: Export) -> Q:
    inside = Q(at__lt=export.before)
    return inside if export.since is None else inside & Q(at__gte=export.since)
