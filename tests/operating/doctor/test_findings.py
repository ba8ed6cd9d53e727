"""Nothing secret is said, whatever a look says."""

import secrets
from urllib.parse import quote

import pytest

from portal.operating.doctor.findings import Finding, Level, first_line, without_secrets

SEALED = "k1." + "n" * 16 + "." + "b" * 60


def said(text: str) -> str:
    return without_secrets(Finding("it", Level.WRONG, text, text)).found


@pytest.fixture
def known(settings, monkeypatch) -> dict[str, str]:
    """Every secret of an installation, each under what it is."""
    found = {name: secrets.token_hex(9) for name in ("database", "redis", "mail", "session")}
    monkeypatch.setitem(settings.DATABASES["default"], "PASSWORD", found["database"])
    found["redis"] += "/"
    settings.REDIS_URL = f"redis://:{quote(found['redis'], safe='')}@redis.example.test/0"
    settings.EMAIL_HOST_PASSWORD = found["mail"]
    settings.SECRET_KEY = found["session"]
    return found


def test_no_secret_of_the_installation_is_said(known, settings):
    for name, secret in known.items():
        assert secret not in said(f"it failed for {secret}@host"), name
    assert said("it failed for nobody@host") == "it failed for nobody@host"
    assert quote(known["redis"], safe="") not in said(f"cannot reach {settings.REDIS_URL}")


def test_a_short_password_goes_where_it_is_a_word(settings, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "PASSWORD", "it")
    assert said("with it: the host") == "with [redacted]: the host"


def test_what_looks_like_a_secret_goes_too():
    assert SEALED not in said(f"opened {SEALED}")


def test_what_to_do_is_cleaned_as_well(known):
    found = without_secrets(Finding("it", Level.WRONG, "", f"use {known['mail']}"))
    assert found.do == "use [redacted]"


@pytest.mark.parametrize(
    ("error", "words"),
    [(OSError("one\n\ttwo\nthree"), "one two"), (ValueError(""), "ValueError"), (KeyError("x"), "'x'")],
)
def test_an_error_is_one_line(error, words):
    assert first_line(error) == words
