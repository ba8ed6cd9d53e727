"""What nginx counts by is taken over from the release before by a reload."""

import re

import pytest

from tests.running import ROOT
from tests.upgrades import previous

SITE = "deploy/nginx/countersign.conf"
ZONE = re.compile(r"^limit_(?:req|conn)_zone (\S+) zone=(\w+):", re.MULTILINE)


def test_a_zone_that_counts_by_something_else_has_another_name(tmp_path):
    """Else nginx goes on as before: it notes that it does, and the reload ends well (ngx_http_limit_req_module)."""
    if reason := previous.why_none():
        pytest.skip(reason)
    before = previous.unpacked(tmp_path / "before").code / SITE
    old, new = ({name: key for key, name in ZONE.findall(path.read_text())} for path in (before, ROOT / SITE))
    assert old
    assert new
    assert {name: new[name] for name in old if name in new} == {name: old[name] for name in old if name in new}
