"""The part of PaperVenue that hands out exports."""

from collections.abc import Sequence

from portal.core.actors import Actor
from portal.venues.paper.exports import asking
from portal.venues.types import ExportRow, ExportSeen, NewExport, Report


class PaperExports:
    """Fulfils `Exports`; what each answer means stands there."""

    def add_export(self, account_id: int, new: NewExport, *, actor: Actor) -> ExportRow:
        return asking.add(account_id, new, actor=actor)

    def exports(self, seen: ExportSeen, report: Report) -> Sequence[ExportRow]:
        return asking.listed(seen, report)

    def export_content(self, seen: ExportSeen, export_id: str) -> bytes:
        return asking.content(seen, export_id)

    def remove_export(self, seen: ExportSeen, export_id: str, *, is_ready: bool) -> None:
        asking.remove(seen, export_id, is_ready=is_ready)
