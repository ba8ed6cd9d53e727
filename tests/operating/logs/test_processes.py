"""The processes of an installation, as they are started: every line of what they say is JSON."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.database import migrated
from tests.running import free_port, soon, wait_for
from tests.serving import ROOT, serving, streaming, surroundings, workers_of

LOG = str(ROOT / "deploy/log.json")
pytestmark = pytest.mark.slow


def environment(data: Path, **settings: str) -> dict[str, str]:
    return surroundings() | {
        "PORTAL_DEBUG": "1",
        "PORTAL_VAR": str(data),
        "PORTAL_LOG_FORMAT": "json",
        # As the units have it.
        "GRANIAN_LOG_CONFIG": LOG,
        "UVICORN_LOG_CONFIG": LOG,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        **settings,
    }


def said_by(command: list[str], variables: dict[str, str]) -> "tuple[int, list[dict[str, object]]]":
    """How a process ended that was started like this, and what it logged. What a command did is no part of that."""
    found = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120, check=False
    )
    said = found.stdout + found.stderr
    return found.returncode, [json.loads(line) for line in said.splitlines() if not line.startswith("Did ")]


def granian(port: int) -> list[str]:
    return ["-m", "granian", *serving(), "--no-ws", "--port", str(port), "portal.asgi:application"]


def uvicorn(port: int) -> list[str]:
    return ["-m", "uvicorn", "portal.asgi:application", *streaming(), "--port", str(port)]


@pytest.mark.parametrize(
    "started",
    [
        granian,
        uvicorn,
        lambda _: ["manage.py", "work"],
        lambda _: ["manage.py", "verifyaudit"],
        lambda _: ["-m", "portal.wsgi"],
    ],
    ids=["granian", "uvicorn", "work", "command", "wsgi"],
)
def test_a_start_that_is_refused_is_said_in_one_line(started, tmp_path):
    """A setting that is missing, and no debugging: what an installation says on its first day."""
    variables = environment(tmp_path)
    del variables["PORTAL_DEBUG"], variables["PORTAL_LOG_FORMAT"]
    code, said = said_by(started(free_port()), variables)
    assert code != 0
    # A server tries twice.
    why = [str(each["message"]) for each in said if each["level"] == "critical"]
    assert 1 <= len(why) <= 2
    assert all(each.startswith("Does not start: Set DATABASE_URL") for each in why)
    assert all("Traceback" not in str(each) for each in said)


def test_a_worker_with_a_wrong_key_says_so_in_one_line(tmp_path):
    migrated.begun(tmp_path)
    assert said_by(["-m", "portal.wsgi"], environment(tmp_path)) == (0, [])
    other = json.loads((tmp_path / "keys.json").read_text())["sealing_keys"].partition(":")[0]
    wrong = f"{other}:CoHaeTTI4Y0w7SAbp7ZpF2nO1xGpN6dQvFMF2lVgGyE="
    code, (said,) = said_by(["manage.py", "work", "--once"], environment(tmp_path, PORTAL_SEALING_KEYS=wrong))
    assert code == 1
    assert said["level"] == "critical"
    assert "is not the key that has sealed this database" in str(said["message"])


def test_an_error_that_ends_a_command_is_one_line_and_the_operators(tmp_path):
    """The database of nobody: no table is there."""
    code, said = said_by(["manage.py", "expirechanges"], environment(tmp_path))
    assert code == 1
    assert [(each["actor"], each.get("command")) for each in said] == [("operator", "expirechanges")] * len(said)
    assert "no such table" in str(said[-1])


def test_servers_say_what_happens_to_their_processes_in_lines(tmp_path):
    migrated.begun(tmp_path)
    variables = environment(tmp_path)
    port = free_port()
    log = tmp_path / "log"
    with log.open("w") as file:
        server = subprocess.Popen(
            [sys.executable, *granian(port)], cwd=ROOT, env=variables, stdout=file, stderr=subprocess.STDOUT
        )
        try:
            wait_for(port, server)
            (victim,) = workers_of(server.pid)
            os.kill(victim, signal.SIGKILL)
            soon(log.read_text, lambda text: "Unexpected exit" in text)
        finally:
            server.terminate()
            server.wait(20)
    said = [json.loads(line) for line in log.read_text().splitlines()]
    assert {"_granian"} <= {each["logger"] for each in said}
    assert any("Unexpected exit from worker" in str(each["message"]) for each in said)


def test_units_name_the_file_where_the_installer_puts_it():
    dropped_in = (ROOT / "deploy/systemd/countersign-.service.d/hardened.conf").read_text()
    for server in ("GRANIAN", "UVICORN"):
        assert f"Environment={server}_LOG_CONFIG=/opt/countersign/current/deploy/log.json\n" in dropped_in
    assert 'ln -sfn "${files#"$release/"}" "$release/deploy"' in (ROOT / "deploy/install/release.sh").read_text()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"PORTAL_LOG_FORMAT": "xml"}, "PORTAL_LOG_FORMAT is one of text, json"),
        (
            {"PORTAL_TRACES_ENDPOINT": "http://127.0.0.1:1", "PORTAL_TRACES_SHARE": "2"},
            "PORTAL_TRACES_SHARE is a number",
        ),
        ({"PORTAL_TRACES_ENDPOINT": "collector"}, "PORTAL_TRACES_ENDPOINT is the address"),
        ({"PORTAL_ERRORS_DSN": "nowhere"}, "PORTAL_ERRORS_DSN is what the receiver gave"),
    ],
)
def test_a_setting_that_is_wrong_is_named(given, why, tmp_path):
    variables = environment(tmp_path, **given)
    command = [sys.executable, "-m", "portal.wsgi"]
    found = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == 1
    (line,) = found.stderr.splitlines()
    assert f"Does not start: {why}" in line
