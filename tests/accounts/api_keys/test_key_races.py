"""Many connections, one key: one nonce is spent once, one secret is shown once."""

import pytest
from django.db import transaction

from accounts.api_keys import lifecycle
from accounts.api_keys.lifecycle import NonceUsed, Revealed, Spent
from accounts.emergency_stop import stop
from accounts.models import ApiKey, Custodian
from portal.core.errors import Conflict
from tests.accounts.conftest import called

pytestmark = pytest.mark.django_db(transaction=True)
RACERS = 24


@pytest.mark.parametrize("window", [0, 1000])
def test_24_racers_with_one_nonce_have_one_winner(race, treasury_bot, window):
    """AP-5: two connections and more, same nonce, one wins, with window 0 and not."""
    treasury_bot.service_user.nonce_window = window
    treasury_bot.service_user.save()
    lifecycle.touch(treasury_bot.service_user)
    answers = race(lambda _: called(treasury_bot.public, 5000), RACERS)
    assert sum(isinstance(answer, Spent) for answer in answers) == 1
    assert sum(isinstance(answer, NonceUsed) for answer in answers) == RACERS - 1


def test_with_a_window_racers_with_their_own_nonces_all_win(race, treasury_bot):
    """AP-5: nothing is lost when calls overtake each other."""
    treasury_bot.service_user.nonce_window = 1000
    treasury_bot.service_user.save()
    lifecycle.touch(treasury_bot.service_user)
    answers = race(lambda number: called(treasury_bot.public, 5000 + number), RACERS)
    assert all(isinstance(answer, Spent) for answer in answers), answers
    key = ApiKey.objects.get(pk=treasury_bot.key.pk)
    assert sorted(key.recent_nonces) == list(range(5000, 5000 + RACERS))
    assert key.last_nonce == 5000 + RACERS - 1


def test_two_pages_that_reveal_at_once_show_one_secret(race, owner, trading_bot):
    """SE-2: two connections."""
    with transaction.atomic():
        key = lifecycle.issue(trading_bot.service_user, made_by=owner, expires_at=None)
    answers = race(lambda _: lifecycle.reveal(key.pk, member=owner), 6)
    assert sum(isinstance(answer, Revealed) for answer in answers) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == 5
    assert Custodian.objects.filter(api_key=key).count() == 1


def test_a_key_that_is_paused_while_it_is_revealed_does_not_work(race, owner, ana, trading_bot):
    """fault rules-f: reveal ∥ pause; whichever comes first, it stays paused."""
    with transaction.atomic():
        key = lifecycle.issue(trading_bot.service_user, made_by=owner, expires_at=None)
    acts = (
        lambda: lifecycle.reveal(key.pk, member=owner),
        lambda: stop.pause_key(actor=ana, api_key=key, reason="It has to stop."),
    )
    answers = race(lambda number: acts[number](), 2)
    assert isinstance(answers[0], Revealed | Conflict)
    assert answers[1] is None
    key.refresh_from_db()
    assert (key.is_active, key.paused_by) == (False, ana)


def test_a_key_is_paused_once_and_revoked_for_good(race, owner, ana, ben, trading_bot):
    """fault rules-f: pause ∥ pause ∥ revoke; the one who paused it is the one who is named."""
    acts = (
        lambda: stop.pause_key(actor=ana, api_key=trading_bot.key, reason="It has to stop."),
        lambda: stop.pause_key(actor=owner, api_key=trading_bot.key, reason="It has to stop."),
        lambda: stop.revoke_key(actor=owner, api_key=trading_bot.key, reason="It has to stop."),
    )
    answers = race(lambda number: acts[number](), 3)
    assert answers[2] is None
    assert [type(answer) for answer in answers[:2]].count(type(None)) <= 1
    key = ApiKey.objects.get(pk=trading_bot.key.pk)
    assert (key.is_active, key.slot, key.revoked_at is None) == (False, None, False)
