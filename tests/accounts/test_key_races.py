"""Many connections, one key: one nonce is spent once, one secret is shown once."""

import pytest
from django.db import transaction

from accounts import keys
from accounts.keys import NonceUsed, Revealed, Spent
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
    keys.touch(treasury_bot.service_user)
    answers = race(lambda _: called(treasury_bot.public, 5000), RACERS)
    assert sum(isinstance(answer, Spent) for answer in answers) == 1
    assert sum(isinstance(answer, NonceUsed) for answer in answers) == RACERS - 1


def test_with_a_window_racers_with_their_own_nonces_all_win(race, treasury_bot):
    """AP-5: nothing is lost when calls overtake each other."""
    treasury_bot.service_user.nonce_window = 1000
    treasury_bot.service_user.save()
    keys.touch(treasury_bot.service_user)
    answers = race(lambda number: called(treasury_bot.public, 5000 + number), RACERS)
    assert all(isinstance(answer, Spent) for answer in answers), answers
    key = ApiKey.objects.get(pk=treasury_bot.key.pk)
    assert sorted(key.recent_nonces) == list(range(5000, 5000 + RACERS))
    assert key.last_nonce == 5000 + RACERS - 1


def test_two_pages_that_reveal_at_once_show_one_secret(race, owner, trading_bot):
    """SE-2: two connections."""
    with transaction.atomic():
        key = keys.issue(trading_bot.service_user, made_by=owner, expires_at=None)
    answers = race(lambda _: keys.reveal(key.pk, member=owner), 6)
    assert sum(isinstance(answer, Revealed) for answer in answers) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == 5
    assert Custodian.objects.filter(api_key=key).count() == 1
