"""Exports asked for, listed, fetched and removed by the Service User whose they are."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from portal.audit.kinds import EventKind
from portal.audit.record import lock_history, record
from portal.core.actors import Actor
from portal.core.errors import Conflict, Invalid
from portal.core.secrets import sealing
from portal.venues.errors import ExportNotReady, UnknownExport
from portal.venues.paper.exports import writing
from portal.venues.paper.exports.columns import NAMES
from portal.venues.paper.exports.models import Export
from portal.venues.types import ExportFormat, ExportRow, ExportSeen, ExportStatus, NewExport, Report

INSTANT: Final = timedelta(microseconds=1)
CODE_LENGTH: Final = 4


def add(account_id: int, new: NewExport, *, actor: Actor) -> ExportRow:
    """See Exports.add_export."""
    unknown = set(new.fields) - set(NAMES[new.report])
    if unknown:
        raise Invalid(f"A report of {new.report} has no column {min(unknown)}.", field="fields")
    now = timezone.now()
    since = max(filter(None, (new.after, new.seen_from)), default=None)
    # An end to come is now: the last instant that can be written has none after it.
    ends = (now, new.seen_before, new.until + INSTANT if new.until and new.until < now else None)
    with transaction.atomic():
        lock_history(actor.organization_id)
        forget_expired(now)
        own = Export.objects.filter(service_user_id=actor.pk)
        if own.count() >= settings.EXPORTS_AT_ONCE:
            raise Conflict(f"A bot keeps {settings.EXPORTS_AT_ONCE} exports at most. Remove one first.")
        export = Export.objects.create(
            account_id=account_id,
            service_user_id=actor.pk,
            code=_free_code(own),
            report=new.report.value,
            format=new.format.value,
            description=new.description,
            fields=list(new.fields),
            since=since,
            before=min(filter(None, ends)),
            created_at=now,
            expires_at=now + settings.EXPORTS_KEPT,
        )
        record(
            EventKind.DATA_EXPORTED,
            actor=actor,
            subject=export,
            account_id=account_id,
            report=new.report.value,
            since=since.isoformat() if since else "",
            before=export.before.isoformat(),
        )
    return _row(export)


def listed(seen: ExportSeen, report: Report) -> Sequence[ExportRow]:
    """See Exports.exports."""
    writing.make_due(service_user_id=seen.service_user_id)
    found = _visible(seen).filter(report=report.value).order_by("-created_at", "-pk")
    return [_row(export) for export in found]


def content(seen: ExportSeen, code: str) -> bytes:
    """See Exports.export_content."""
    writing.make_due(service_user_id=seen.service_user_id)
    export = _named(_visible(seen), code)
    if export.status != ExportStatus.PROCESSED:
        raise ExportNotReady("The export is not ready yet. Ask for its status first.")
    return b"".join(bytes(piece) for piece in export.pieces.order_by("number").values_list("content", flat=True))


def remove(seen: ExportSeen, code: str, *, is_ready: bool) -> None:
    """See Exports.remove_export."""
    with transaction.atomic():
        export = _named(_visible(seen).select_for_update(of=("self",)), code)
        if (export.status == ExportStatus.PROCESSED) is not is_ready:
            raise Invalid("What is ready is deleted, what is not is cancelled.", field="type")
        export.delete()


def forget_expired(now: datetime) -> int:
    """Remove what has expired, and say how many exports that were."""
    _, removed = Export.objects.filter(expires_at__lte=now).delete()
    return removed.get(Export._meta.label, 0)


def _visible(seen: ExportSeen) -> QuerySet[Export]:
    """Unexpired exports of that Service User that hold nothing its window would not show."""
    shown = Q(expires_at__gt=timezone.now(), service_user_id=seen.service_user_id)
    if seen.seen_from is not None:
        shown &= Q(since__gte=seen.seen_from)
    if seen.seen_before is not None:
        shown &= Q(before__lte=seen.seen_before)
    return Export.objects.filter(shown)


def _named(exports: QuerySet[Export], code: str) -> Export:
    export = exports.filter(code=code).first()
    if export is None:
        raise UnknownExport("There is no such export.", field="id")
    return export


def _free_code(own: QuerySet[Export]) -> str:
    """Four letters that none of the bot's exports has; the database has the last word."""
    taken = set(own.values_list("code", flat=True))
    while True:
        code = sealing.token(CODE_LENGTH)
        if code not in taken:
            return code


def _row(export: Export) -> ExportRow:
    return ExportRow(
        id=export.code,
        report=Report(export.report),
        format=ExportFormat(export.format),
        description=export.description,
        fields=tuple(export.fields),
        status=ExportStatus(export.status),
        since=export.since,
        before=export.before,
        created_at=export.created_at,
        started_at=export.started_at,
        completed_at=export.completed_at,
        expires_at=export.expires_at,
    )
