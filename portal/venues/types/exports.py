"""Histories as files."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Report(StrEnum):
    TRADES = "trades"
    LEDGERS = "ledgers"


class ExportFormat(StrEnum):
    CSV = "CSV"
    TSV = "TSV"


class ExportStatus(StrEnum):
    """Asked for, being written, ready to be fetched."""

    QUEUED = "Queued"
    PROCESSING = "Processing"
    PROCESSED = "Processed"


@dataclass(frozen=True, slots=True)
class NewExport:
    """A file to be made. `after` and `until` are both inclusive; `fields` empty for all.

    `seen_from` (inclusive) and `seen_before` (exclusive) are the key's own query window.
    """

    report: Report
    format: ExportFormat
    description: str = ""
    fields: tuple[str, ...] = ()
    after: datetime | None = None
    until: datetime | None = None
    seen_from: datetime | None = None
    seen_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class ExportSeen:
    """Whose exports, through which query window: one that holds more than the window shows is not seen."""

    service_user_id: int
    seen_from: datetime | None = None
    seen_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class ExportRow:
    """An export as it stands, with what lies from `since` (inclusive, None: the beginning) to `before` (exclusive)."""

    id: str
    report: Report
    format: ExportFormat
    description: str
    fields: tuple[str, ...]
    status: ExportStatus
    since: datetime | None
    before: datetime
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    expires_at: datetime
