"""Commands of a portal that is not set up: each says so in a line and fails, and the doctor says what to do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from portal.operating.not_started import HOW
from portal.settings import NEEDED

ROOT = Path(__file__).resolve().parents[3]
FILLED = {
    "DATABASE_URL": "postgres://portal:secret-of-it@127.0.0.1:1/portal",
    "PORTAL_SECRET_KEY": "n2Jq8vLrX4tZ6bWc1yKd7mPf3sGh9aRe5uTo0iQx-CwVzBjN_EMk",
    "PORTAL_SEALING_KEYS": "k1:3q2-796tvu_erb7v3q2-7xI0VniavN7wESIzRFVmd4g=",
    "PORTAL_BASE_URL": "https://portal.example.test",
    "PORTAL_ALLOWED_HOSTS": "portal.example.test",
    "EMAIL_URL": "dummymail://",
    "PORTAL_MAIL_FROM": "portal@portal.example.test",
}


def run(tmp_path, *command, **settings):
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "VIRTUAL_ENV"}}
    environment = {**kept, "PORTAL_VAR": str(tmp_path), "PORTAL_LOG_FORMAT": "text", **settings}
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *command],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_the_doctor_says_of_each_setting_that_is_missing_what_to_do(tmp_path):
    assert HOW.keys() == set(NEEDED)
    done = run(tmp_path, "doctor", PORTAL_BASE_URL="https://portal.example.test")
    assert (done.returncode, done.stderr) == (1, "")
    lines = [line for line in done.stdout.splitlines() if line]
    missing = [name for name in NEEDED if name != "PORTAL_BASE_URL"]
    assert lines[:-1:2] == [f"wrong  settings  {name} is not set" for name in missing]
    assert lines[1:-1:2] == [f"{' ' * 17}→ {HOW[name]}" for name in missing]
    assert lines[-1] == f"0 ok, 0 warn, {len(missing)} wrong"


def test_it_says_so_to_machines_as_well(tmp_path):
    done = run(tmp_path, "doctor", "--json", **{**FILLED, "PORTAL_SECRET_KEY": ""})
    assert (done.returncode, done.stderr) == (1, "")
    told = json.loads(done.stdout)
    assert told["well"] is False
    assert [each["found"] for each in told["findings"]] == ["PORTAL_SECRET_KEY is not set"]


def test_an_address_that_cannot_be_read_is_named_without_a_letter_of_it(tmp_path):
    done = run(tmp_path, "doctor", **{**FILLED, "DATABASE_URL": "postgres://portal:secret-of-it@host:port/portal"})
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("wrong  settings  DATABASE_URL cannot be read.")
    assert "/etc/countersign/environment" in done.stdout
    assert "secret-of-it" not in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", [["work"], ["migrate"], ["backup"], ["restore", "file"], ["copydatabase"], ["checkrestored"]], ids=str
)
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({**FILLED, "PORTAL_SECRET_KEY": ""}, "Does not start: Set PORTAL_SECRET_KEY in the environment"),
        ({**FILLED, "DATABASE_URL": "postgres://u:p@host:port/x"}, "Does not start: DATABASE_URL cannot be read."),
    ],
    ids=["missing", "unreadable"],
)
def test_every_other_command_says_it_in_a_line(tmp_path, command, given, words):
    done = run(tmp_path, *command, **given)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert words in line
