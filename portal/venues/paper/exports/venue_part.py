"""The part of PaperVenue that hands out exports."""

from collections.abc import Sequence

from portal.core.actors import Actor
from portal.venues.paper.exports import requests
from portal.venues.types import ExportRow, ExportSeen, NewExport, Report


class PaperExports:
    """Fulfils `Exports`; what each answer means stands there."""

    def add_export(self, account_id: int, new: NewExport, *, actor: Actor) -> ExportRow:
        """Written once a second has passed, by the worker or when the bot asks again."""
        return requests.add(account_id, new, actor=actor)

    def exports(self, seen: ExportSeen, report: Report) -> Sequence[ExportRow]:
        """Those of the bot that asks, not of others of its Account; what is due of them is written first."""
        return requests.listed(seen, report)

    def export_content(self, seen: ExportSeen, export_id: str) -> bytes:
        """Out of the database, where the file is kept; written first where it is due."""
        return requests.content(seen, export_id)

    def remove_export(self, seen: ExportSeen, export_id: str, *, is_ready: bool) -> None:
        """The file goes with its row."""
        requests.remove(seen, export_id, is_ready=is_ready)
