"""Each setting stands in three places: where it is read, in the file to fill in, and in the guide."""

import re
from pathlib import Path

from portal import settings

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs/operating.md"
EXAMPLE = ROOT / "deploy/environment.example"
LINE = re.compile(r"^(#?)([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)


def read() -> set[str]:
    return set(re.findall(r'\benv(?:\.\w+)?\(\s*"([A-Z0-9_]+)"', (ROOT / "portal/settings.py").read_text()))


def explained() -> set[str]:
    """What stands in the first column of the guide's table of settings."""
    table = GUIDE.read_text().split("\n## Settings\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([A-Z0-9_]+)`", row)}


def test_every_setting_that_is_read_can_be_filled_in_and_is_explained():
    filled_in = {name for _, name, _ in LINE.findall(EXAMPLE.read_text())}
    assert {"DATABASE_URL", "REDIS_URL", "PORTAL_STREAM_SOCKETS"} <= read()
    assert read() == filled_in == explained()


def test_what_it_does_not_start_without_has_to_be_filled_in_and_all_else_may_stay():
    empty = {name for mark, name, value in LINE.findall(EXAMPLE.read_text()) if not mark and not value}
    assert empty == set(settings.NEEDED)


def test_each_is_named_once():
    names = [name for _, name, _ in LINE.findall(EXAMPLE.read_text())]
    assert len(names) == len(set(names))
