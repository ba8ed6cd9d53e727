"""What a process loads: whoever starts the portal, or gives it a command, waits for all of it each time."""

import subprocess
import sys

import pytest
from django.core.management import get_commands, load_command_class

from policies.registry import all_operations
from portal.core.management.pageless import PagelessCommand
from tests.serving import ROOT, surroundings

# None of these before it is needed: a Redis to count in, a foreign letter to compare. The others for nothing at all.
NEEDED_LATER = {"redis", "confusable_homoglyphs", "eth_utils", "pydantic"}
PAGES = {"portal.urls", "portal.dashboard.urls", "accounts.urls", "accounts.views.authentication.sign_in"}
# What a call or a page may need at once, and few commands ever.
GOVERNED = {"accounts.every_page", "policies.operations", "portal.api.methods", "portal.treasury.measures"}
SERVER = "import portal.asgi"
CHECK = "from django.core.management import execute_from_command_line as run; run(['manage.py', 'check'])"
# A command that opens secrets, as far as it goes before it looks into the database.
COMMAND = """
import django
django.setup()
from portal.jobs.management.commands.work import Command
Command().check(tags=Command.requires_system_checks)
"""
MIGRATE = """
from django.core.management import execute_from_command_line as run
try:
    run(["manage.py", "migrate", "--check"])
except SystemExit:
    pass
"""
OPERATIONS = [each for each in all_operations() if not each.key.startswith("tests.")]
SAY = "\nimport sys; print('\\n'.join(sys.modules))"


def loaded(code, data):
    """The modules that a process has loaded after running that."""
    return set(printed(code + SAY, data).splitlines())


def printed(code, data):
    """What a process prints that runs it."""
    settings = {"DJANGO_SETTINGS_MODULE": "portal.settings", "PORTAL_DEBUG": "1", "PORTAL_VAR": str(data)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=surroundings() | settings,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.slow
@pytest.mark.parametrize("starts", [SERVER, CHECK, COMMAND, MIGRATE], ids=["server", "check", "command", "migrate"])
def test_nothing_is_loaded_before_it_is_needed(starts, tmp_path):
    """`make run` starts three processes, and an installation a worker of each node: each of them anew."""
    found = loaded(starts, tmp_path)
    assert "accounts.models" in found
    assert not NEEDED_LATER & found
    # What Django checks of routes loads all pages, which a command has no use for, and a server not before the first.
    assert (PAGES & found) == (PAGES if starts is CHECK else set())
    if starts is not CHECK:
        assert (GOVERNED & found) == (GOVERNED if starts is SERVER else set())


ASK = """
import django
django.setup()
from policies import registry
from policies.measures import measures
try:
    registry.get("nobody.has_it")
except registry.Unregistered:
    print(registry.get("treasury.withdraw").key, type(measures()).__name__, len(registry.all_operations()))
"""


@pytest.mark.slow
def test_what_is_not_loaded_yet_is_found_by_whoever_asks(tmp_path):
    said = printed(ASK, tmp_path)
    assert said == f"treasury.withdraw TreasuryMeasures {len(OPERATIONS)}"


OURS = sorted(
    name for name, app in get_commands().items() if app.partition(".")[0] in {"accounts", "policies", "portal"}
)


@pytest.mark.parametrize("name", OURS)
def test_no_command_of_ours_has_pages_checked(name):
    command = load_command_class(get_commands()[name], name)
    assert isinstance(command, PagelessCommand) or command.requires_system_checks != "__all__"
