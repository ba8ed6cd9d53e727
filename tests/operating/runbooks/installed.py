"""A node that looks like an installed one to the commands of a runbook, in a folder: its settings, its programs."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.serving import ROOT

RUNBOOKS = ROOT / "docs/runbooks"
# With the settings of the node, as /usr/local/bin/countersign has it.
COUNTERSIGN = """#!/bin/bash
set -euo pipefail
while IFS= read -r line; do [[ $line == [A-Z]*=* ]] && export "$line"; done <"{etc}/environment"
cd "{root}" && exec "{python}" manage.py "$@"
"""
# What is restarted loads the portal, as a server does, and fails where that does.
SYSTEMCTL = """#!/bin/bash
set -euo pipefail
echo "$*" >>"{etc}/systemctl"
[[ $1 == restart ]] || exit 0
while IFS= read -r line; do [[ $line == [A-Z]*=* ]] && export "$line"; done <"{etc}/environment"
cd "{root}" && exec "{python}" -c "import portal.wsgi"
"""


def blocks(runbook: str, heading: str = "") -> list[str]:
    """The commands of one part of a runbook, in their order, as they stand there."""
    text = (RUNBOOKS / runbook).read_text()
    if heading:
        text = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    found = re.findall(r"^( *)```sh\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL)
    return ["".join(line.removeprefix(space) for line in body.splitlines(keepends=True)) for space, body in found]


@dataclass(frozen=True)
class Node:
    """Where its /etc/countersign lies."""

    etc: Path

    @property
    def settings(self) -> dict[str, str]:
        """What stands in its environment file."""
        lines = (self.etc / "environment").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))

    def write(self, settings: dict[str, str]) -> None:
        """Make its environment file."""
        (self.etc / "environment").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    def run(self, block: str, *, cwd: Path | None = None, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run one block as an operator's shell would; only where it looks for the settings is another place."""
        found = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.replace("/etc/countersign", str(self.etc))],
            cwd=cwd or self.etc,
            env={"PATH": f"{self.etc}/bin:/usr/bin:/bin:/usr/sbin", "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert not check or found.returncode == 0, (block, found.stdout, found.stderr)
        return found


def node(folder: Path, **programs: str) -> Node:
    """One with these programs beside its own."""
    (folder / "bin").mkdir(parents=True)
    for name, text in {"countersign": COUNTERSIGN, "systemctl": SYSTEMCTL, **programs}.items():
        program = folder / "bin" / name
        program.write_text(text.format(etc=folder, root=ROOT, python=sys.executable))
        program.chmod(0o755)
    return Node(folder)
