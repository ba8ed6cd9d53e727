"""What a look said, in the fewest words a test needs."""

from collections.abc import Iterable

from portal.operating.doctor.findings import Finding, Level


def levels(found: Iterable[Finding]) -> list[Level]:
    """How each line stands."""
    return [finding.level for finding in found]


def only(found: Iterable[Finding]) -> Finding:
    """The one line there is."""
    (finding,) = found
    return finding


def bad(found: Iterable[Finding]) -> list[Finding]:
    """Those that say what to do; each of them does."""
    lines = [finding for finding in found if finding.level is not Level.OK]
    assert all(finding.do for finding in lines), lines
    return lines
