"""The packages that run beside the portal, against the lock."""

import django

from portal import place
from portal.operating.doctor import versions
from portal.operating.doctor.findings import Level
from tests.operating.doctor.said import bad, levels, only

HERE = f"django=={django.get_version()} \\\n    --hash=sha256:0\n"


def test_what_is_locked_is_what_runs():
    assert only(versions.packages(HERE)).found == "1 packages as locked"
    assert only(versions.packages(HERE + "colorama-not-here==1 ; sys_platform == 'win32' \\\n")).level is Level.OK


def test_another_version_is_said():
    found = only(bad(versions.packages("django==1.0 \\\n    --hash=sha256:0\n")))
    assert found.found.endswith(f"django {django.get_version()} instead of 1.0")


def test_one_that_is_missing_is_said():
    assert "nothing-of-the-kind is missing" in only(bad(versions.packages("nothing-of-the-kind==1 \\\n"))).found


def test_python_with_slow_cookies(monkeypatch):
    monkeypatch.setattr(versions, "has_slow_cookies", lambda: True)
    assert any("CVE-2024-7592" in line.found for line in versions.look())
    monkeypatch.setattr(versions, "has_slow_cookies", lambda: False)
    found = list(versions.look())
    assert not any("CVE" in line.found for line in found)
    assert levels(found)[0] is Level.OK
    assert len(versions.LOCKED.findall((place.SITE / versions.LOCK).read_text())) > 40
