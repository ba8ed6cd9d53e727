"""Whether what the portal runs with has known weaknesses, asked of a public database by pip-audit: see `make audit`."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

PINNED: Final = Path(__file__).with_name("runtime.txt")
NO_ANSWER: Final = "skipped: the database of known weaknesses cannot be reached from here"
# How pip-audit says that nobody answered, or falls over it. It ends with the same status when it has found something.
UNREACHED: Final = re.compile(
    r"Could not connect to|^requests\.exceptions\.(?:ConnectionError|ConnectTimeout|ProxyError|ReadTimeout):",
    re.MULTILINE,
)


def main(command: Sequence[str]) -> int:
    """Run pip-audit by `command` over what is pinned, and say what it found.

    Returns 0 when everything was looked up and nothing found, or when nobody could be asked; 1 when something was found
    or could not be looked up; 2 when pip-audit itself failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        done = subprocess.run(  # noqa: S603 - the Makefile gives the command
            [*command, "--requirement", str(PINNED), "--format", "json", "--output", str(report)],
            capture_output=True,
            text=True,
            check=False,
        )
        if report.exists():
            status, lines = judged(json.loads(report.read_text(encoding="utf-8")))
        elif UNREACHED.search(done.stderr):
            status, lines = 0, [NO_ANSWER]
        else:
            status, lines = 2, done.stderr.splitlines()[-1:] or ["pip-audit ended without a report"]
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return status


def judged(report: Mapping[str, Any]) -> tuple[int, list[str]]:
    """The exit status that a report of pip-audit deserves, and the lines that say why."""
    packages = report["dependencies"]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    # A mirror that keeps files alone answers "not found" to each question, which pip-audit takes for none known.
    if len(unknown) == len(packages):
        return 0, [NO_ANSWER]
    found = [
        f"{package['name']} {package['version']}: {weakness['id']}, {_mended(weakness['fix_versions'])}"
        for package in packages
        for weakness in package.get("vulns", ())
    ]
    lines = [*found, *(f"{name}: could not be looked up" for name in unknown)]
    return (1, lines) if lines else (0, [f"no known weakness in {len(packages)} packages"])


def _mended(versions: Sequence[str]) -> str:
    return f"mended in {' or '.join(versions)}" if versions else "not mended yet"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
