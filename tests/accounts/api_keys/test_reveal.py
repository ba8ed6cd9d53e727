"""The page that shows a secret, once."""

import logging
from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from accounts.api_keys import lifecycle
from accounts.authentication.session_store import SessionStore
from accounts.models import ApiKey, Session
from portal.audit.models import AuditEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def key(owner, trading_bot):
    with transaction.atomic():
        return lifecycle.issue(trading_bot.service_user, made_by=owner, expires_at=None)


def path(key: ApiKey) -> str:
    return f"/service-users/trading-bot/keys/{key.public}/reveal/"


def secret_of(key: ApiKey) -> str:
    return lifecycle.secret_of(key.sealed_secret, public=key.public)


def shown(answer) -> str:
    return "".join(strip_tags(answer.content.decode()).split())


def test_the_answer_to_the_post_shows_both_halves(client, owner, key, sign_in):
    """SE-2: the answer of the POST itself; SE-5: as text, in no input."""
    sign_in(client, owner)
    answer = client.post(path(key))
    assert answer.status_code == 200
    assert key.public in shown(answer)
    assert secret_of(key) in shown(answer)
    text = answer.content.decode()
    assert "<input" not in text.split("<main")[1]
    assert "Copy secret" in text
    assert "js/reveal.js" in text
    assert 'data-reveal="60"' in text


def test_the_examples_hold_this_portals_address_and_no_secret(client, owner, key, sign_in, settings):
    """SE-3: what is copied into a program's text is not the secret."""
    settings.BASE_URL = "https://portal.example.test"
    sign_in(client, owner)
    text = client.post(path(key)).content.decode()
    examples = text.split('id="try"')[1]
    for client_name in ("krakenex", "ccxt", "curl"):
        assert f'data-copied="{client_name}"' in examples
    assert examples.count("https://portal.example.test") == 3
    assert secret_of(key)[:6] not in examples
    assert key.public[:6] not in examples


def test_nothing_may_keep_that_answer(client, owner, key, sign_in):
    """SE-3: headers."""
    sign_in(client, owner)
    answer = client.post(path(key))
    assert answer["Cache-Control"] == "no-store"
    assert answer["Pragma"] == "no-cache"
    assert answer["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("verb", ["get", "head", "put", "delete", "options"])
def test_no_other_verb_shows_it(client, owner, key, sign_in, verb):
    """SE-2: GET, HEAD and the others never show it."""
    sign_in(client, owner)
    answer = getattr(client, verb)(path(key))
    assert answer.status_code == (302 if verb == "get" else 405)
    assert not answer.content.strip() or verb != "get"
    assert not ApiKey.objects.get(pk=key.pk).revealed_at


def test_the_second_time_there_is_only_the_reason(client, owner, key, sign_in):
    """SE-2: refresh and a second tab get nothing."""
    sign_in(client, owner)
    client.post(path(key))
    answer = client.post(path(key), follow=True)
    assert "This secret was revealed before." in answer.content.decode()
    assert secret_of(key) not in shown(answer)
    assert secret_of(key) not in shown(client.get("/service-users/trading-bot/"))


def test_it_needs_a_second_factor_shown_lately(client, owner, key, sign_in, code):
    """SU-1: revealing a secret; a wrong code reveals nothing."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, owner)
        clock.shift(timedelta(minutes=5, seconds=1))
        assert "Authentication code" in client.get("/service-users/trading-bot/").content.decode()
        for given in ({}, {"code": "000000"}):
            answer = client.post(path(key), given)
            assert secret_of(key) not in shown(answer)
            assert not ApiKey.objects.get(pk=key.pk).revealed_at
        assert secret_of(key) in shown(client.post(path(key), {"code": code(owner)}))


def test_it_needs_the_token(owner, key, sign_in):
    """SE-2: CSRF."""
    strict = Client(enforce_csrf_checks=True)
    plain = Client()
    sign_in(plain, owner)
    strict.cookies = plain.cookies
    assert strict.post(path(key)).status_code == 403
    assert not ApiKey.objects.get(pk=key.pk).revealed_at


def test_the_secret_is_nowhere_else(client, owner, key, sign_in, caplog):
    """SE-3, SE-4: canary: not in session, messages, history or log."""
    caplog.set_level(logging.DEBUG)
    sign_in(client, owner)
    client.post(path(key))
    client.get("/service-users/trading-bot/")
    secret = secret_of(key)
    kept = [str(SessionStore().decode(session.session_data)) for session in Session.objects.all()]
    told = [str(event.data) + event.subject_label for event in AuditEvent.objects.all()]
    logged = [record.getMessage() for record in caplog.records]
    assert kept
    assert not any(secret in text for text in (*kept, *told, *logged))
    assert AuditEvent.objects.get(kind="key.revealed", subject_id=key.pk).actor_label == "Olive Marsh"


def test_a_lapsed_key_is_shown_as_such(client, owner, key, sign_in):
    """K2: unclaimed for 72 h."""
    with time_machine.travel(key.claim_by, tick=False):
        sign_in(client, owner)
        text = client.get("/service-users/trading-bot/").content.decode()
        assert "Lapsed" in text
        assert "Reveal secret" not in text
        answer = client.post(path(key), follow=True)
        assert "within 72 hours" in answer.content.decode()
    assert AuditEvent.objects.filter(kind="key.lapsed").count() == 1
