"""Trades and ledgers as files (reference §9). The file itself is the one answer that is no JSON."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from portal.api.call import Caller
from portal.api.protocol.envelope import JSON, File
from portal.api.protocol.instants import Instant
from portal.api.protocol.parameter_types import Choice, Names, Text
from portal.api.protocol.parameters import absent, needed, optional
from portal.venues.types import ExportFormat, ExportRow, ExportSeen, NewExport, Report

ZIP: Final = "application/zip"
REPORT: Final = Choice(tuple(report.value for report in Report))
ID: Final = Text(longest=8, pattern="[A-Z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddExport:
    report: str = needed(REPORT, "What to export.")
    description: str = optional(Text(), "", "A name of yours for it.")
    format: str = optional(Choice(tuple(each.value for each in ExportFormat)), "CSV", "How columns are separated.")
    fields: tuple[str, ...] = optional(Names(), (), "Only these columns; `all`, or nothing, for every one.")
    starttm: datetime | None = absent(Instant(), "From then on, inclusive; from the beginning without it.")
    endtm: datetime | None = absent(Instant(), "Until then, inclusive; until now without it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportStatus:
    report: str = needed(REPORT, "Exports of this kind.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrieveExport:
    id: str = needed(ID, "What `AddExport` answered.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveExport:
    id: str = needed(ID, "What `AddExport` answered.")
    kind: str = needed(Choice(("delete", "cancel")), "`delete` what is processed, `cancel` what is not.", name="type")


def add_export(caller: Caller, parameters: AddExport) -> JSON:
    """Have a file made of what the key may see. It is processed a moment later.

    Raises: Invalid for an unknown column; Conflict if the bot keeps too many.
    """
    fields = parameters.fields
    row = caller.venue.add_export(
        caller.account_id,
        NewExport(
            report=Report(parameters.report),
            format=ExportFormat(parameters.format),
            description=parameters.description,
            fields=() if fields == ("all",) else fields,
            after=parameters.starttm,
            until=parameters.endtm,
            seen_from=caller.credential.query_start,
            seen_before=caller.credential.query_end,
        ),
        actor=caller.key().service_user,
    )
    return {"id": row.id}


def export_status(caller: Caller, parameters: ExportStatus) -> JSON:
    """The bot's exports of that kind, newest first, without those that hold more than the key may see by now."""
    return [_row(row) for row in caller.venue.exports(_seen(caller), Report(parameters.report))]


def retrieve_export(caller: Caller, parameters: RetrieveExport) -> File:
    """The zip. Raises: UnknownExport, ExportNotReady."""
    content = caller.venue.export_content(_seen(caller), parameters.id)
    return File(f"export_{parameters.id}.zip", ZIP, content)


def remove_export(caller: Caller, parameters: RemoveExport) -> JSON:
    """Remove a file, or take back that it was asked for. Raises: UnknownExport; Invalid for the wrong one of both."""
    caller.venue.remove_export(_seen(caller), parameters.id, is_ready=parameters.kind == "delete")
    return {parameters.kind: True}


def _seen(caller: Caller) -> ExportSeen:
    credential = caller.credential
    return ExportSeen(credential.service_user_id, credential.query_start, credential.query_end)


def _row(row: ExportRow) -> JSON:
    """Everything is text; times are whole Unix seconds, `"0"` where there is none."""
    return {
        "id": row.id,
        "descr": row.description,
        "format": row.format.value,
        "report": row.report.value,
        "subtype": "all",
        "status": row.status.value,
        "flags": "0",
        "fields": ",".join(row.fields) or "all",
        "createdtm": _seconds(row.created_at),
        "expiretm": _seconds(row.expires_at),
        "starttm": _seconds(row.started_at),
        "completedtm": _seconds(row.completed_at),
        "datastarttm": _seconds(row.since),
        "dataendtm": _seconds(row.before),
        "aclass": "forex" if row.report is Report.TRADES else "currency",
        "asset": "all",
    }


def _seconds(at: datetime | None) -> str:
    return str(int(at.timestamp())) if at else "0"
