"""The command line: `manage.py` of a checkout, `countersign` of an installation."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from django.core.management import ManagementUtility
from django.core.management.base import BaseCommand

from portal.core import call_origin
from portal.loading import loading
from portal.operating.not_started import refusing_in_findings
from portal.starting import log_what_nobody_caught, refusing_in_a_line

# They run for themselves, and nobody sits before them.
BY_ITSELF = frozenset({"work"})


class CommandLine(ManagementUtility):
    """Django's, that says when the apps and the command are loaded."""

    def __init__(self, typed: Sequence[str], *, loaded: Callable[[], None]) -> None:
        super().__init__(list(typed))
        self.loaded = loaded

    def fetch_command(self, subcommand: str) -> BaseCommand:
        """The command, which only has to run."""
        found = super().fetch_command(subcommand)
        self.loaded()
        return found


def main() -> None:
    """Run the management command that was typed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command not in BY_ITSELF:
        call_origin.outside(actor=call_origin.OPERATOR, doing=command)
    log_what_nobody_caught()
    is_doctor = command == "doctor"
    refusing = refusing_in_findings(as_json="--json" in sys.argv) if is_doctor else refusing_in_a_line()
    with refusing:
        run(sys.argv)


def run(typed: Sequence[str]) -> None:
    """The command alone, for a process that another one of ours starts and listens to: what it says is Django's."""
    with ExitStack() as until_loaded:
        until_loaded.enter_context(loading())
        CommandLine(typed, loaded=until_loaded.close).execute()
