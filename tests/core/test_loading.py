"""The collector of circular garbage: it stands still while a process loads, and runs when it works."""

import gc
import subprocess
import sys

import pytest

from portal.loading import loading
from tests.serving import ROOT, surroundings

SAY = """
import gc, sys, weakref

class Circle:
    def __init__(self):
        self.itself = self

def say(*args, **options):
    left = weakref.ref(Circle())
    for _ in range(1000):
        [Circle() for _ in range(1000)]
    found = {"accounts.every_page", "policies.operations", "portal.treasury.measures", "policies.tasks", *MORE}
    print(gc.isenabled(), gc.get_freeze_count(), left() is None, found <= set(sys.modules))
"""
COMMAND = """
from django.core.management.commands import check
from portal.command_line import main
check.Command.handle = say
sys.argv = ["manage.py", "check"]
main()
"""
WORKER = """
from portal.command_line import main
import django
django.setup()
from portal.jobs.worker import Worker
Worker.run = say
sys.argv = ["manage.py", "work", "--with-parent"]
main()
"""
DOCTOR = """
from portal.command_line import main
import django
django.setup()
from portal.operating.doctor import rounds
rounds.taken = lambda looks: say() or []
sys.argv = ["manage.py", "doctor"]
main()
"""
SERVER = "import portal.asgi; say()"
BY_WSGI = "import portal.wsgi; say()"


@pytest.mark.slow
@pytest.mark.parametrize(
    "program",
    [COMMAND, WORKER, DOCTOR, SERVER, BY_WSGI],
    ids=["a command", "the worker", "the doctor", "a server", "a server by WSGI"],
)
def test_a_process_that_works_clears_away_its_garbage_and_leaves_what_it_loaded(program, tmp_path):
    settings = {"DJANGO_SETTINGS_MODULE": "portal.settings", "PORTAL_DEBUG": "1", "PORTAL_VAR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", f"MORE = {['portal.urls'] if program is DOCTOR else []}\n{SAY}\n{program}"],
        cwd=ROOT,
        env=surroundings() | settings,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    is_on, frozen, is_cleared, is_whole = done.stdout.splitlines()[0].split()
    assert (is_on, is_cleared) == ("True", "True")
    assert int(frozen) > 100_000
    # No two threads of those that go on load the same at once.
    assert is_whole == "True" or program is COMMAND


def test_the_collector_stands_still_until_all_is_loaded(collector):
    with loading():
        assert not gc.isenabled()
        with loading():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_goes_on_after_a_start_that_is_refused(collector):
    with pytest.raises(ValueError, match="refused"), loading():
        raise ValueError("refused")
    assert gc.isenabled()


def test_whoever_had_it_stand_still_has_it_do_so_on(collector):
    gc.disable()
    with loading():
        pass
    assert not gc.isenabled()


@pytest.fixture
def collector():
    """It runs, as it does after a test."""
    gc.enable()
    yield
    gc.enable()
