"""Settings that are risky or contradict each other."""

import os
import re
from pathlib import Path

import pytest

from portal.operating.doctor import environment, looks
from portal.operating.doctor.findings import Level
from tests.operating.doctor.said import bad, only

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def public(settings, monkeypatch):
    """As a portal in public is set up, and nothing to be said of it."""
    settings.DEBUG, settings.BASE_URL, settings.ALLOWED_HOSTS = False, "https://portal.example.test", [".example.test"]
    settings.SECRET_KEY, settings.TRUSTED_PROXIES = "abcdefghij0123456789" * 3, ["127.0.0.1", "10.0.0.0/24", "::1"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.DEFAULT_FROM_EMAIL, settings.API_LIMITS = "portal@example.test", True
    for name in [name for name in os.environ if name.startswith("PORTAL_")]:
        monkeypatch.delenv(name)
    return settings


def test_nothing_is_said_of_a_portal_in_public():
    assert only(environment.look()).level is Level.OK


@pytest.mark.parametrize(
    ("name", "value", "level", "words"),
    [
        ("DEBUG", True, Level.WRONG, "PORTAL_DEBUG is on"),
        ("BASE_URL", "http://portal.example.test", Level.WRONG, "need https"),
        ("BASE_URL", "https://portal.example.test/here", Level.WRONG, "scheme and host alone"),
        ("ALLOWED_HOSTS", ["other.test"], Level.WRONG, "does not name portal.example.test"),
        ("ALLOWED_HOSTS", ["*"], Level.WARN, "any name"),
        ("SECRET_KEY", "short", Level.WRONG, "short"),
        ("SECRET_KEY", "a" * 60, Level.WRONG, "not drawn"),
        ("TRUSTED_PROXIES", [], Level.WARN, "is empty"),
        ("TRUSTED_PROXIES", ["0.0.0.0/0"], Level.WRONG, "strangers"),
        ("TRUSTED_PROXIES", ["::/0"], Level.WRONG, "strangers"),
        ("TRUSTED_PROXIES", ["nginx"], Level.WRONG, "no address"),
        ("EMAIL_BACKEND", "django.core.mail.backends.dummy.EmailBackend", Level.WARN, "sends nothing"),
        ("DEFAULT_FROM_EMAIL", "portal", Level.WRONG, "no address"),
        ("API_LIMITS", False, Level.WARN, "no counter"),
    ],
)
def test_each_risk_is_said(public, name, value, level, words):
    setattr(public, name, value)
    found = only(bad(environment.look()))
    assert (found.level, words in found.found) == (level, True), found


def test_trying_it_out_on_this_machine_is_no_fault(public):
    public.DEBUG, public.BASE_URL, public.ALLOWED_HOSTS = True, "http://localhost:8000", ["localhost"]
    assert only(environment.look()).level is Level.WARN


def test_a_name_that_nothing_reads_is_said(monkeypatch):
    monkeypatch.setenv("PORTAL_TRUSTED_PROXY", "10.0.0.1")
    monkeypatch.setenv("PORTAL_BASE_URL", "https://portal.example.test")
    found = only(environment.look())
    assert found.level is Level.WARN
    assert "PORTAL_TRUSTED_PROXY is set" in found.found
    assert "PORTAL_TRUSTED_PROXIES" in found.do


def test_every_setting_that_the_guide_names_is_known():
    named = re.findall(
        r"^\| `((?:PORTAL|DATABASE|REDIS|EMAIL)_\w+)`", (ROOT / "docs/operating.md").read_text(), re.MULTILINE
    )
    assert len(named) > 10
    assert set(named) <= environment.known_names()


def test_checks_of_django_are_lines_of_their_own(public, monkeypatch):
    public.SESSION_COOKIE_SECURE = False
    found = bad(looks.look_at_checks())
    assert any("security.W01" in line.found for line in found)
