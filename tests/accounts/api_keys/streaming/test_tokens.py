"""Tokens for sockets: given out, good for a quarter of an hour, dead with their key, never kept as they are."""

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.api_keys import lifecycle
from accounts.api_keys.refused_calls import Reason
from accounts.api_keys.streaming import tokens
from accounts.api_keys.streaming.tokens import Unaccepted
from accounts.emergency_stop import stop
from accounts.models import ApiKey, StreamToken
from portal.core.secrets.sealing import digest
from tests.accounts.api_keys.streaming.conftest import alter
from tests.accounts.conftest import live

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(hours=1, minutes=20)


def after(**time: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(**time), tick=False)


def test_a_token_finds_the_key_that_it_was_given_to(credential):
    found = tokens.find(tokens.issue(credential))
    assert found is not None
    assert (found.public, found.account_id, found.websocket) == (credential.public, credential.account_id, True)


def test_a_token_serves_as_often_as_it_is_shown(credential):
    token = tokens.issue(credential)
    assert [tokens.find(token) is not None for _ in range(3)] == [True, True, True]


def test_the_text_is_long_random_and_safe_in_an_address(credential):
    made = [tokens.issue(credential) for _ in range(20)]
    assert len(set(made)) == 20
    assert all(tokens.TOKEN.fullmatch(token) for token in made)


def test_the_database_holds_no_token(credential):
    """SE-1: digests only, in no column of the table anything to come in with."""
    token = tokens.issue(credential)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_streamtoken")
        rows = str(cursor.fetchall())
    assert token not in rows
    assert digest(token) in rows
    assert tokens.find(digest(token)) is None


@pytest.mark.parametrize(("seconds", "is_good"), [(899, True), (900, False), (901, False)])
def test_a_token_ends_after_a_quarter_of_an_hour(credential, seconds, is_good):
    with time_machine.travel(timezone.now(), tick=False):
        token = tokens.issue(credential)
        with after(seconds=seconds):
            assert (tokens.find(token) is not None) is is_good


def test_an_ended_token_is_told_from_one_that_never_was(credential):
    token = tokens.issue(credential)
    with after(minutes=16):
        assert tokens.look(token) == Unaccepted(Reason.TOKEN_EXPIRED, credential.public)
        assert tokens.look("A" * 43) == Unaccepted(Reason.TOKEN_UNKNOWN)


@pytest.mark.parametrize(
    "text", ["", "x", "A" * 42, "A" * 44, "A" * 42 + "=", "A" * 42 + "\n", "A" * 43 + "\n", "Ä" * 43, "\x00" * 43,
             "٣" * 43, "\ud800" * 43, "A" * 1_000_000],
)  # fmt: skip
def test_what_is_no_token_asks_the_database_nothing(credential, text, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert tokens.find(text) is None


def test_a_key_that_is_paused_revoked_or_suspended_takes_its_tokens_along(credential, streaming_bot, owner, ana):
    token = tokens.issue(credential)
    assert tokens.find(token)
    stop.pause_key(actor=ana, api_key=streaming_bot.key, reason="It has to stop.")
    assert tokens.look(token) == Unaccepted(Reason.NO_KEY, credential.public)
    with transaction.atomic():
        lifecycle.unpause(ApiKey.objects.get(pk=streaming_bot.key.pk))
    assert tokens.find(token)
    stop.suspend_service_user(actor=ana, service_user=streaming_bot.service_user, reason="It has to stop.")
    assert tokens.find(token) is None


def test_an_expired_key_takes_its_tokens_along(credential, streaming_bot):
    token = tokens.issue(credential)
    ApiKey.objects.filter(pk=streaming_bot.key.pk).update(
        expires_at=timezone.now() + timedelta(minutes=5), version=F("version") + 1
    )
    assert tokens.find(token)
    with after(minutes=5, seconds=1):
        assert tokens.look(token) == Unaccepted(Reason.EXPIRED, credential.public)


def test_the_setting_counts_at_once_though_the_process_remembers_the_key(credential, streaming_bot):
    token = tokens.issue(credential)
    alter(streaming_bot, websocket=False)
    assert tokens.look(token) == Unaccepted(Reason.STREAM_OFF, credential.public)
    alter(streaming_bot, websocket=True, permissions=["query-funds"])
    found = tokens.find(token)
    assert found is not None
    assert found.permissions == {"query-funds"}


def test_a_token_of_next_door_finds_next_door(credential, world):
    """AZ-2: each token leads to its own key, Account and Organization."""
    eve_bot = world.bot("eve-bot")
    alter(eve_bot, websocket=True)
    theirs = tokens.find(tokens.issue(live(eve_bot.public)))
    ours = tokens.find(tokens.issue(credential))
    assert theirs is not None
    assert ours is not None
    assert theirs.organization_id == world.elsewhere.pk
    assert ours.organization_id == world.organization.pk
    assert theirs.account_id != ours.account_id


def test_a_key_has_fifty_tokens_at_most_and_the_oldest_goes(credential, world):
    eve_bot = world.bot("eve-bot")
    alter(eve_bot, websocket=True)
    theirs = tokens.issue(live(eve_bot.public))
    made = [tokens.issue(credential) for _ in range(tokens.KEPT + 2)]
    assert [tokens.find(token) is not None for token in made] == [False, False, *[True] * tokens.KEPT]
    assert tokens.find(theirs)


def test_what_ended_long_ago_is_removed_at_the_next_token_and_by_the_clock(credential, world):
    eve_bot = world.bot("eve-bot")
    alter(eve_bot, websocket=True)
    tokens.issue(credential)
    tokens.issue(live(eve_bot.public))
    with time_machine.travel(timezone.now() + LONG_AGO):
        fresh = tokens.issue(credential)
        assert StreamToken.objects.filter(api_key_id=credential.id).count() == 1
        assert StreamToken.objects.count() == 2
        tokens.sweep()
        assert StreamToken.objects.count() == 1
        assert tokens.find(fresh)


def test_a_token_costs_few_statements_whether_few_or_many_are_kept(credential, django_assert_num_queries):
    for _ in range(2):
        with django_assert_num_queries(6):
            tokens.issue(credential)
    for _ in range(tokens.KEPT):
        tokens.issue(credential)
    with django_assert_num_queries(7):
        tokens.issue(credential)


def test_the_database_refuses_a_token_that_ends_before_it_begins(credential):
    now = timezone.now()
    with pytest.raises(IntegrityError, match="stream_token_ends_after_it_began"), transaction.atomic():
        StreamToken.objects.create(api_key_id=credential.id, digest="a" * 64, created_at=now, expires_at=now)


def test_the_database_refuses_one_digest_of_two_keys(credential, treasury_bot):
    token = tokens.issue(credential)
    now = timezone.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        StreamToken.objects.create(
            api_key=treasury_bot.key,
            digest=digest(token),
            created_at=now,
            expires_at=now + tokens.VALID_FOR,
        )
