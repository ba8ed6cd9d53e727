"""Proves that the history is whole, and prints how far each chain reaches."""

from pathlib import Path

from django.apps import apps
from django.core.management.base import CommandError, CommandParser
from django.db import models

from portal.audit.chain import Head, name_of, verify_chain
from portal.audit.models import Chain
from portal.audit.record import encoded
from portal.audit.witnesses import missing
from portal.core.database.long_commands import unhurried
from portal.core.management.pageless import PagelessCommand


class Command(PagelessCommand):
    help = (
        "Walk every chain of the history, recompute each hash, and look for what other tables say must be there. "
        "Prints one line a chain: name, length, hash, Organization. Keep "
        "that output in a second place: given back with --kept, it shows when the end of a chain was taken away."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """What was kept elsewhere, if anything was."""
        parser.add_argument("--kept", type=Path, metavar="FILE", help="lines that an earlier run printed")

    @unhurried()
    def handle(self, *, kept: Path | None, **options: object) -> None:
        """Walk every chain and print a line for each.

        Raises: CommandError at the first row that is wrong, or missing by what other tables or FILE say, or for a FILE
        that no run printed.
        """
        heads = [] if kept is None else read_heads(kept)
        chains = {chain.name: chain for chain in Chain.objects.select_related("organization").order_by("pk")}
        if lost := sorted({head.chain for head in heads} - chains.keys()):
            raise CommandError(f"{lost[0]} was kept elsewhere and is gone.")
        for organization in apps.get_model("accounts.Organization").objects.order_by("pk"):
            name = name_of(organization.pk)
            if name not in chains or not chains[name].length:
                raise CommandError(f"{name} ({_plain(organization)}): its history is gone.")
        for name, chain in chains.items():
            self._verify(name, chain, heads)

    def _verify(self, name: str, chain: Chain, heads: list[Head]) -> None:
        if broken := verify_chain(chain, heads):
            raise CommandError(f"{broken.chain}, event {broken.sequence}: {broken.reason}.")
        chain.refresh_from_db()
        said = str(Head(name, chain.length, chain.head))
        if chain.organization is not None:
            said = f"{said} {_plain(chain.organization)}"
            if gap := next(missing(chain.organization.pk), ""):
                raise CommandError(f"{name} ({_plain(chain.organization)}): events were taken away: {gap}.")
        self.stdout.write(said)


def _plain(organization: models.Model) -> str:
    return encoded(str(organization))


def read_heads(path: Path) -> list[Head]:
    """The Heads in a file of lines that the command printed.

    Raises: CommandError if the file cannot be read as that.
    """
    heads = []
    try:
        for line in filter(str.strip, path.read_text().splitlines()):
            # The name of the Organization may follow: it is there for people.
            name, length, digest, *_ = line.split()
            heads.append(Head(name, int(length), "" if digest == "-" else digest))
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} does not hold what an earlier run printed.") from error
    return heads
