"""Proves that the history is whole, and prints how far each chain reaches."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.audit.chain import Head, verify_chain
from portal.audit.models import Chain
from portal.core.unhurried import unhurried


class Command(BaseCommand):
    help = (
        "Walk every chain of the history and recompute each hash. Prints one line a chain: name, length, hash. Keep "
        "that output in a second place: given back with --kept, it shows when the end of a chain was taken away."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--kept", type=Path, metavar="FILE", help="lines that an earlier run printed")

    @unhurried()
    def handle(self, *, kept: Path | None, **options: object) -> None:
        heads = [] if kept is None else read_heads(kept)
        chains = {chain.name: chain for chain in Chain.objects.order_by("pk")}
        if lost := sorted({head.chain for head in heads} - chains.keys()):
            raise CommandError(f"{lost[0]} was kept elsewhere and is gone.")
        for name, chain in chains.items():
            if broken := verify_chain(chain, heads):
                raise CommandError(f"{broken.chain}, event {broken.sequence}: {broken.reason}.")
            chain.refresh_from_db()
            self.stdout.write(str(Head(name, chain.length, chain.head)))


def read_heads(path: Path) -> list[Head]:
    """The Heads in a file of lines that the command printed.

    Raises: CommandError if the file cannot be read as that.
    """
    heads = []
    try:
        for line in filter(str.strip, path.read_text().splitlines()):
            name, length, digest = line.split()
            heads.append(Head(name, int(length), "" if digest == "-" else digest))
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} does not hold what an earlier run printed.") from error
    return heads
