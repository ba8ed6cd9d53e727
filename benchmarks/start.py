"""What starting costs: the second time, when database and demo are there and everything is compiled."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Final

from benchmarks.ratio import Ratio, compare
from tests.factories.world import World
from tests.serving import ROOT

# Django with one page and no application, as far as it has to be loaded to answer.
DJANGO: Final = """
from django.conf import settings
settings.configure(ROOT_URLCONF=[], SECRET_KEY="none")
from django.core.wsgi import get_wsgi_application
get_wsgi_application()
import django.db.models, django.forms, django.urls
"""
# As it is typed, up to where it would begin to work.
COMMAND: Final = """
import sys
from django.core.management.base import BaseCommand
from portal.command_line import main
BaseCommand.run_from_argv = lambda command, typed: command.check(tags=command.requires_system_checks)
sys.argv = ["manage.py", "work"]
main()
"""


def ratios(world: World) -> Iterator[Ratio]:
    """A process that serves, and one that carries out a command, each over one that has loaded Django alone."""
    del world
    django = partial(_run, DJANGO)
    yield compare("a server, loaded", partial(_run, "import portal.asgi"), "Django alone", django, repeats=1)
    yield compare("a command, loaded", partial(_run, COMMAND), "Django alone", django, repeats=1)


def _run(code: str) -> None:
    # Compiled code is kept, whatever the caller's environment says: only the first start is without.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
