"""What is installed is pinned to the letter, and what is known of its weaknesses is said as it is."""

import json
import re
import sys
from pathlib import Path

import pytest

from requirements import audit

FOLDER = Path(__file__).parents[1] / "requirements"
LOCKS = sorted(FOLDER.glob("*.txt"))
PINNED = re.compile(r"^([a-z0-9-]+)(?:\[[a-z0-9,-]+\])?==[\w.!+-]+(?: ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")
ONLY_A_COMMENT = re.compile(r"^\s*#")


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_package_is_pinned_by_version_and_hash_and_from_no_address(lock):
    """SC-1: what was looked at is what is installed, whoever serves it."""
    packages: list[str] = []
    hashes: dict[str, int] = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        if pinned := PINNED.match(line):
            packages.append(pinned[1])
        elif HASH.match(line):
            hashes[packages[-1]] = hashes.get(packages[-1], 0) + 1
        else:
            assert ONLY_A_COMMENT.match(line), line
            assert "://" not in line
    assert packages
    assert set(hashes) == set(packages)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_what_is_asked_for_is_locked(lock):
    """A name that was added without `make lock` would be missing where it is installed."""
    asked = re.findall(r"^([a-z][a-z0-9-]*)", lock.with_suffix(".in").read_text(encoding="utf-8"), re.MULTILINE)
    locked = re.findall(r"^([a-z0-9-]+)(?:\[[a-z0-9,-]+\])?==", lock.read_text(encoding="utf-8"), re.MULTILINE)
    assert asked
    assert set(asked) <= set(locked)


def test_what_the_portal_runs_with_is_what_it_was_tried_with():
    def versions(name):
        return dict(re.findall(r"^([a-z0-9-]+)\S*==(\S+)", (FOLDER / name).read_text(encoding="utf-8"), re.MULTILINE))

    tried = versions("dev.txt")
    assert {name: tried.get(name) for name in versions("runtime.txt")} == versions("runtime.txt")


def test_what_comes_from_npm_is_pinned_by_version_and_hash_and_from_no_address():
    """SC-1: the same, for the client libraries of another language that the tests run."""
    asked = json.loads((FOLDER / "npm/package.json").read_text(encoding="utf-8"))["dependencies"]
    locked = json.loads((FOLDER / "npm/package-lock.json").read_text(encoding="utf-8"))["packages"]
    packages = {path: row for path, row in locked.items() if path}
    assert {name: locked[f"node_modules/{name}"]["version"] for name in asked} == asked
    for row in packages.values():
        assert row["integrity"].startswith("sha512-")
        assert "resolved" not in row


def package(name, *found, **more):
    vulns = [{"id": weakness, "fix_versions": fixes} for weakness, fixes in found]
    return {"name": name, "version": "1.0", "vulns": vulns, **more}


UNKNOWN = {"name": "strange", "skip_reason": "Dependency not found"}


@pytest.mark.parametrize(
    ("packages", "status", "lines"),
    [
        ([package("django"), package("redis")], 0, ["no known weakness in 2 packages"]),
        ([package("django", ("CVE-1", ["1.1"])), package("redis")], 1, ["django 1.0: CVE-1, mended in 1.1"]),
        ([package("django", ("CVE-1", []))], 1, ["django 1.0: CVE-1, not mended yet"]),
        ([package("django"), UNKNOWN], 1, ["strange: could not be looked up"]),
        ([UNKNOWN], 0, [audit.NO_ANSWER]),
    ],
)
def test_a_report_is_judged(packages, status, lines):
    """SC-1: a known weakness fails; that nobody knows a package at all is not that none is known."""
    assert audit.judged({"dependencies": packages}) == (status, lines)


def pip_audit(tmp_path, *, report=None, says="", status=1):
    """A command that ends as pip-audit would: a report or none, and one status for everything that goes wrong."""
    script = tmp_path / "pip_audit.py"
    script.write_text(
        "import sys\n"
        f"report = {json.dumps(report)!r}\n"
        "if report != 'null':\n"
        "    open(sys.argv[sys.argv.index('--output') + 1], 'w').write(report)\n"
        f"sys.stderr.write({says!r})\n"
        f"sys.exit({status})\n"
    )
    return [sys.executable, str(script)]


@pytest.mark.parametrize(
    ("ends", "status", "said"),
    [
        ({"report": {"dependencies": [package("django", ("CVE-1", ["1.1"]))]}}, 1, "CVE-1"),
        ({"report": {"dependencies": [package("django")]}, "status": 0}, 0, "no known weakness"),
        ({"says": "ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed"}, 0, "skipped: "),
        ({"says": "Traceback ...\nrequests.exceptions.ProxyError: HTTPSConnectionPool"}, 0, "skipped: "),
        ({"says": "WARNING:one\nERROR:pip_audit._cli:invalid requirements"}, 2, "ERROR:pip_audit._cli:invalid"),
        ({"says": "Traceback ...\nrequests.exceptions.SSLError: a certificate"}, 2, "SSLError"),
        ({}, 2, "without a report"),
    ],
)
def test_only_a_database_that_cannot_be_reached_is_passed_over(tmp_path, capsys, ends, status, said):
    """SC-1: a lock that cannot be read, or a weakness, never looks like a missing network."""
    assert audit.main(pip_audit(tmp_path, **ends)) == status
    assert said in capsys.readouterr().out
