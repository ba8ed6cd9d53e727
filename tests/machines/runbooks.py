"""The commands of a runbook, as they stand in it."""

import re
from textwrap import dedent
from typing import Final

from tests.serving import ROOT

BLOCK: Final = re.compile(r"^( *)```sh(?: ([a-z-]+))?\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
STEP: Final = re.compile(r"^(\d+)\. ", re.MULTILINE)


def steps(name: str, kind: str = "") -> dict[int, list[str]]:
    """The blocks of each numbered step of `docs/runbooks/NAME.md`, to be given to a shell.

    They are for everybody, or those that are marked as being of another `kind`.
    """
    text = (ROOT / f"docs/runbooks/{name}.md").read_text(encoding="utf-8")
    found: dict[int, list[str]] = {}
    for block in BLOCK.finditer(text):
        numbers = STEP.findall(text, 0, block.start())
        if numbers and (block[2] or "") == kind:
            found.setdefault(int(numbers[-1]), []).append(dedent(block[3]))
    return found
