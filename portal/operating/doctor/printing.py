"""How findings are shown: a line each, and below it what to do; or JSON."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from portal.operating.doctor.findings import Finding, Level

COLOURS: Final = {Level.OK: "32", Level.WARN: "33", Level.WRONG: "31"}


def as_lines(findings: Sequence[Finding], *, in_colour: bool) -> str:
    """For people: the level as a word, in colour only where a terminal shows it."""
    wide = max((len(finding.subject) for finding in findings), default=0)
    lines = []
    for finding in findings:
        level = finding.level.value.ljust(5)
        shown = f"\033[{COLOURS[finding.level]}m{level}\033[0m" if in_colour else level
        lines.append(f"{shown}  {finding.subject.ljust(wide)}  {finding.found}")
        if finding.do:
            lines.append(f"{' ' * (wide + 9)}→ {finding.do}")
    count = Counter(finding.level for finding in findings)
    lines += ["", ", ".join(f"{count[level]} {level.value}" for level in Level)]
    return "\n".join(lines)


def as_json(findings: Sequence[Finding]) -> str:
    """For machines: `well` is false if anything is wrong."""
    return json.dumps({"well": is_well(findings), "findings": [asdict(finding) for finding in findings]}, indent=2)


def is_well(findings: Sequence[Finding]) -> bool:
    """Whether nothing is wrong; what only warns may be meant so."""
    return not any(finding.level is Level.WRONG for finding in findings)
