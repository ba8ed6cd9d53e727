"""Exchanging the sealing keys while everything goes on, and starting only with keys that are some (security SE-1)."""

import ast
import re
import subprocess
import sys
from base64 import urlsafe_b64encode
from pathlib import Path
from secrets import token_bytes, token_urlsafe

import pytest
from django.apps import apps
from django.conf import settings as real
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError
from django.db import models

from accounts.api_keys import lifecycle
from accounts.factors import totp
from accounts.models import ApiKey, Authenticator
from portal.core.models import SealingCanary
from portal.core.secrets import key_checks
from portal.core.secrets import sealing as secrets
from portal.core.secrets.sealed_fields import SealedField, check_names, columns, everything
from portal.core.secrets.sealing import SealBroken, seal, unseal, weak_keys
from portal.jobs import mail
from tests.core.secrets.conftest import drawn, run
from tests.factories import people
from tests.serving import surroundings

LOOKS_SEALED = re.compile(r"\b[A-Za-z0-9]+\.[\w-]{16}\.[\w-]{22,}", re.ASCII)
TEXTS = (models.TextField, models.CharField, models.JSONField)


@pytest.mark.django_db
def test_everything_is_sealed_anew_and_still_opens(with_keys, world, owner, trading_bot, code):
    """SE-1: rotation command."""
    old = real.SEALING_KEYS
    with_keys(f"next:{drawn()},{old}")
    with pytest.raises(CommandError, match="left"):
        run(left=True)
    told = run(batch=2)
    assert "accounts_apikey.sealed_secret: 2 of 4" in told
    assert "accounts_authenticator.sealed_seed: 0 left under other keys than next" in told
    assert "Nothing is left." in told
    assert "Nothing is left." in run(left=True)
    for column in columns():
        sealed = column.model._meta.base_manager.values_list(column.name, flat=True)
        assert all(value.startswith("next.") for value in sealed), column
    key = ApiKey.objects.get(pk=trading_bot.key.pk)
    assert lifecycle.secret_of(key.sealed_secret, public=key.public) == trading_bot.secret
    assert lifecycle.find(trading_bot.public) is not None
    assert re.fullmatch("[0-9]{6}", totp.current_code(owner.user))
    assert people.code(owner)


@pytest.mark.django_db
def test_what_does_not_open_is_named_and_the_rest_is_done(with_keys, trading_bot, readonly_bot):
    """SE-1: move ciphertext to another row: opening fails."""
    ApiKey.objects.filter(pk=trading_bot.key.pk).update(sealed_secret=readonly_bot.key.sealed_secret)
    with_keys(f"next:{drawn()},{real.SEALING_KEYS}")
    with pytest.raises(CommandError, match=f"do not open: .*{trading_bot.public}"):
        run()
    assert ApiKey.objects.filter(sealed_secret__startswith="next.").count() == 3


@pytest.mark.django_db
def test_a_row_that_changes_meanwhile_is_not_overwritten(monkeypatch, with_keys, trading_bot):
    with_keys(f"next:{drawn()},{real.SEALING_KEYS}")
    written = seal(b"written meanwhile", place=trading_bot.key.place)

    def meanwhile(plain: bytes, *, place: str) -> str:
        if place == trading_bot.key.place:
            ApiKey.objects.filter(pk=trading_bot.key.pk).update(sealed_secret=written)
        return seal(plain, place=place)

    monkeypatch.setattr("portal.core.secrets.sealed_fields.seal", meanwhile)
    run()
    assert ApiKey.objects.get(pk=trading_bot.key.pk).sealed_secret == written


@pytest.mark.django_db
@pytest.mark.parametrize("batch", [0, 10_001])
def test_a_batch_has_bounds(batch):
    with pytest.raises(CommandError, match="--batch"):
        run(batch=batch)


@pytest.mark.django_db
def test_no_sealed_value_stands_in_a_column_that_is_not_known(world):
    """A new sealed column cannot be forgotten: whatever looks sealed in the database is in one that is known."""
    mail.send("key_notice", to=["ana@demo.test"], context={})
    # Each canary stays under its own key, whatever becomes of the others.
    known = {(SealingCanary, "sample"), *((place.model, place.name) for place in everything())}
    assert {str(column) for column in columns()} >= {
        "accounts_apikey.sealed_secret",
        "accounts_authenticator.sealed_seed",
        "accounts_identitycheck.sealed_document",
    }
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, TEXTS) and (model, field.name) not in known:
                values = model._meta.base_manager.values_list(field.name, flat=True)
                assert not any(LOOKS_SEALED.search(str(value)) for value in values), f"{model} {field.name}"


def test_every_seal_in_the_code_is_for_a_known_column_or_a_session():
    """The same for code that no test has run: who seals is on this list."""
    sealing = set()
    for app in ("accounts", "policies", "portal"):
        for path in (Path(real.BASE_DIR) / app).rglob("*.py"):
            calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
            if any("seal" in (getattr(call.func, "id", ""), getattr(call.func, "attr", "")) for call in calls):
                sealing.add(str(path.relative_to(real.BASE_DIR)))
    assert sealing == {
        "accounts/factors/totp.py",
        "accounts/members/identity/checks.py",
        "accounts/api_keys/lifecycle.py",
        "portal/audit/chain.py",  # the seal of a chain, another word for its hash
        "portal/audit/record.py",
        "portal/core/secrets/canary.py",  # a sample that stays under its own key
        "portal/core/secrets/sealed_fields.py",
        "portal/jobs/mail.py",
        "portal/jobs/sealed_mail.py",
        "portal/operating/backups/taking.py",  # a whole backup, to a public key
        "portal/venues/kraken/connection/proposing.py",
    }


def test_a_column_named_sealed_has_its_type():
    assert check_names(None) == []
    field = ApiKey._meta.get_field("sealed_secret")
    assert isinstance(field, SealedField)
    assert field.check() == []
    field.__class__ = models.TextField  # type: ignore[assignment]
    try:
        assert [error.id for error in check_names(None)] == ["core.E002"]
    finally:
        field.__class__ = SealedField


def test_a_sealed_value_opens_nowhere_else():
    """SE-1: associated data binds row and column."""
    sealed = seal(b"secret", place="table.column:1")
    assert unseal(sealed, place="table.column:1") == b"secret"
    for place in ("table.column:2", "table.other:1", ""):
        with pytest.raises(SealBroken):
            unseal(sealed, place=place)
    head, _, tail = sealed.rpartition(".")
    flipped = f"{head}.{'A' if tail[0] != 'A' else 'B'}{tail[1:]}"
    for broken in (flipped, "", "x", sealed[:-4], sealed.replace(sealed.split(".")[0], "unknown", 1)):
        with pytest.raises(SealBroken):
            unseal(broken, place="table.column:1")


def test_a_key_can_be_made_known_before_it_seals(with_keys):
    """Rotation over several nodes: at each step all of them open what any of them seals; the history stays as it is."""
    old, new = f"old:{drawn()}", f"new:{drawn()}"
    steps = [old, f"{old},-{new}", f"{new},{old}"]
    sealed, signed = [], set()
    for text in steps:
        with_keys(text)
        sealed.append(seal(b"x", place="p"))
        signed.add(secrets.derived_key("history"))
    assert len(signed) == 1
    for text, openable in ((steps[1], sealed), (steps[2], sealed), (steps[0], sealed[:2])):
        with_keys(text)
        assert all(unseal(value, place="p") == b"x" for value in openable)
    with pytest.raises(ImproperlyConfigured, match="only opens"):
        secrets.parse_sealing_keys(f"-{new},{old}")


def test_two_seals_of_the_same_value_differ():
    assert seal(b"x", place="p") != seal(b"x", place="p")


def encoded(key: bytes) -> str:
    return f"k1:{urlsafe_b64encode(key).decode()}"


@pytest.mark.parametrize(
    "key", [bytes(32), b"a" * 32, bytes(range(32)), b"ab" * 16, bytes(range(0, 64, 2)), b"0123456789abcdef" * 2]
)
def test_a_key_that_nobody_drew_is_known(key):
    assert weak_keys(encoded(key)) == ["k1"]


def test_keys_that_were_drawn_pass():
    assert [weak_keys(encoded(token_bytes(32))) for _ in range(500)] == [[]] * 500


def test_the_key_of_the_trial_is_no_key_for_production(settings, with_keys, tmp_path):
    settings.VAR = tmp_path
    trial = drawn()
    (tmp_path / "keys.json").write_text(f'{{"sealing_keys": "local:{trial}"}}')
    with_keys(f"k1:{drawn()},k0:{trial}")
    settings.DEBUG = True
    assert key_checks.check_sealing_keys(None) == []
    settings.DEBUG = False
    assert [error.id for error in key_checks.check_sealing_keys(None)] == ["core.E003"]
    assert "tried out" in key_checks.wrong_keys()[0]
    (tmp_path / "keys.json").write_text("nonsense")
    assert key_checks.wrong_keys() == []


def test_a_key_that_stands_in_the_other_secret_is_none(settings, with_keys):
    """SE-1: whoever reads the one must not have the other."""
    shared = token_urlsafe(24)
    with_keys(encoded(shared.encode()))
    settings.SECRET_KEY = f"{token_urlsafe(10)}{shared}"
    assert key_checks.wrong_keys() == ["PORTAL_SEALING_KEYS holds a part of PORTAL_SECRET_KEY. Make another one."]
    settings.SECRET_KEY = token_urlsafe(50)
    assert key_checks.wrong_keys() == []


@pytest.mark.parametrize(
    "text", ["", "k1", "k1:short", f"k1:{'A' * 42}", f"k1:{'A' * 43},k1:{'B' * 43}", "k 1:" + "A" * 43]
)
def test_keys_that_cannot_be_read_are_refused(text):
    with pytest.raises(ImproperlyConfigured):
        secrets.parse_sealing_keys(text)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sealing", "said"),
    [
        (None, "PORTAL_SEALING_KEYS"),
        (f"k1:{'A' * 43}", "was not drawn at random"),
        ("k1:" + urlsafe_b64encode(bytes(range(32))).decode(), "was not drawn at random"),
        ("k1:change-me", "32 bytes"),
        ("drawn", ""),
    ],
)
def test_production_starts_with_a_sealing_key_of_its_own_only(tmp_path, sealing, said):
    """SE-1, SC-3: start refuses a missing or default key; in a process of its own, as a server loads it."""
    environment = surroundings() | {
        "PORTAL_VAR": str(tmp_path),
        "PORTAL_SECRET_KEY": "s" * 20 + drawn(),
        "PORTAL_BASE_URL": "https://portal.example.test",
        "PORTAL_ALLOWED_HOSTS": "portal.example.test",
        "PORTAL_MAIL_FROM": "portal@portal.example.test",
        "DATABASE_URL": "postgres://portal:portal@database.example.test/portal",
        "REDIS_URL": "redis://redis.example.test/0",
        "EMAIL_URL": "smtp+tls://portal:portal@mail.example.test:587",
    }
    if sealing is not None:
        environment["PORTAL_SEALING_KEYS"] = f"k1:{drawn()}" if sealing == "drawn" else sealing
    started = subprocess.run(
        [sys.executable, "-c", "import portal.wsgi"],
        cwd=real.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (started.returncode == 0) is (said == ""), started.stderr
    assert said in started.stderr


def test_the_authenticators_seed_is_sealed_for_its_row(world, owner, ana):
    """SE-1: move ciphertext to another row: opening fails."""
    mine, hers = (Authenticator.objects.get(user=member.user) for member in (owner, ana))
    hers.sealed_seed = mine.sealed_seed
    with pytest.raises(SealBroken):
        hers.shows("123456")
