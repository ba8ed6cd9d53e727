"""The command line: `manage.py` of a checkout, `countersign` of an installation."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """Run the management command that was typed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    execute_from_command_line(sys.argv)
