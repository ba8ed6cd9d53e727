"""Seals every secret anew under the first of PORTAL_SEALING_KEYS, while the portal runs."""

from argparse import ArgumentParser
from typing import Final

from django.core.management.base import CommandError

from portal.core.database.long_commands import unhurried
from portal.core.secrets.canary import SealingCommand
from portal.core.secrets.sealed_fields import Sealed, everything
from portal.core.secrets.sealing import sealing_key

# So many are named; a wrong key breaks all.
NAMED: Final = 50


class Command(SealingCommand):
    help = "Seal every stored secret under the first of PORTAL_SEALING_KEYS; with --left, only say how much is left."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whether only to look, and how many rows at a time."""
        parser.add_argument(
            "--left", action="store_true", help="change nothing; exit 1 if anything is left, or does not open"
        )
        parser.add_argument("--batch", type=int, default=200, help="rows in one transaction (default 200)")

    @unhurried()
    def handle(self, *args: object, left: bool = False, batch: int = 200, **options: object) -> None:
        """Seal under the present key what is not, unless only to look, and print how much is left under others.

        Raises: CommandError where something is left or does not open, or the batch is out of bounds.
        """
        if not 1 <= batch <= 10_000:
            raise CommandError("--batch takes a number from 1 to 10000.")
        broken = [] if left else [place for column in everything() for place in self._reseal(column, batch)]
        # A name says nothing: what is to be kept has to open, whatever it was sealed under.
        broken += [place for column in everything() for place in column.unopened(batch) if place not in broken]
        remaining = 0
        for column in everything():
            rows = column.left()
            remaining += rows
            self.stdout.write(f"{column}: {rows} left under other keys than {sealing_key()}")
        if broken:
            raise CommandError(
                "These do not open: " + _some(broken) + ". Their key is missing from PORTAL_SEALING_KEYS, or they "
                "were moved or altered."
            )
        if remaining:
            raise CommandError(f"{remaining} left. Run this again without --left.")
        self.stdout.write(
            "Nothing is left. Ask again with --left in an hour, when no enrolment is under way that began before; then "
            "the other keys can go. Keep the last one of the list for ever: the history is signed under it."
        )

    def _reseal(self, column: Sealed, batch: int) -> list[str]:
        total, done, broken = column.left(), 0, list[str]()
        for resealed in column.reseal(batch):
            done += resealed.done
            broken += resealed.broken
            self.stdout.write(f"{column}: {done} of {total}")
        return broken


def _some(places: list[str]) -> str:
    more = f" and {len(places) - NAMED} more" if len(places) > NAMED else ""
    return ", ".join(places[:NAMED]) + more
