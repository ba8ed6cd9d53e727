"""The command line: `manage.py` of a checkout, `countersign` of an installation."""

import os
import sys

from django.core.management import execute_from_command_line

from portal.core import call_origin
from portal.operating.not_started import refusing_in_findings
from portal.starting import log_what_nobody_caught, refusing_in_a_line

# They run for themselves, and nobody sits before them.
BY_ITSELF = frozenset({"work"})


def main() -> None:
    """Run the management command that was typed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command not in BY_ITSELF:
        call_origin.outside(actor=call_origin.OPERATOR, doing=command)
    log_what_nobody_caught()
    is_doctor = command == "doctor"
    with refusing_in_findings(as_json="--json" in sys.argv) if is_doctor else refusing_in_a_line():
        execute_from_command_line(sys.argv)
