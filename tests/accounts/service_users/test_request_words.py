"""What those who decide read of a request about a bot, and what becomes of one that is asked again (DESIGN R7, R8)."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.emergency_stop.stop import revoke_key
from accounts.models import Account, ApiKey, ServiceUser
from accounts.request_members import asking_member
from accounts.service_users.rotate import rotate_key
from policies.changes import ask_again, propose
from policies.models import ChangeRequest, State
from portal.core.errors import Conflict, Refused
from tests.accounts.conftest import request_words
from tests.accounts.service_users.pages import ask, page
from tests.accounts.service_users.test_rotate import alter
from tests.accounts.service_users.test_rotate import asked as rotation_of
from tests.policies.conftest import again, yes

pytestmark = pytest.mark.django_db


def test_to_remove_a_bot_says_what_ends_with_it(client, ana, ben, trading_bot, sign_in):
    sign_in(client, ana)
    client.post(page("trading-bot", "remove"))
    change = ChangeRequest.objects.get(operation="accounts.remove_service_user")
    sign_in(client, ben)
    text = request_words(client, change)
    assert "Ana Ruiz asks to remove the service user trading-bot." in text
    assert "Its keys stop for ever, and what it asked for is cancelled." in text
    yes(change, ben)
    assert ServiceUser.objects.get(pk=trading_bot.service_user.pk).removed_at is not None


def test_a_bot_that_may_withdraw_and_nothing_else_is_told_from_one_that_may_more(client, ana, ben, sign_in, new_bot):
    ask(client, ana, sign_in, {**new_bot, "permissions": ["withdraw-funds"]})
    sign_in(client, ben)
    text = request_words(client, ChangeRequest.objects.get(state=State.PENDING))
    assert "may withdraw to the approved addresses of that account, and nothing else" in text


def test_a_new_key_where_none_works_is_not_called_a_rotation(client, owner, ana, ben, trading_bot, sign_in):
    """Whoever agrees lets a bot that is still go on, and ends no other key."""
    revoke_key(actor=owner, api_key=trading_bot.key, reason="Its secret is lost.")
    change = propose(rotate_key, actor=ana, params=rotation_of(trading_bot))
    sign_in(client, ben)
    text = request_words(client, change)
    assert "Ana Ruiz asks to make a new key for trading-bot, which has none that works." in text
    assert "nothing to stop" in text


def test_a_rotation_asked_again_is_of_the_bot_as_it_is_by_then(ana, owner, ben, trading_bot):
    """R8: what was changed meanwhile is neither undone by it nor hidden from who agrees."""
    first = propose(rotate_key, actor=ana, params=rotation_of(trading_bot))
    alter(owner, trading_bot, nonce_window=7)
    assert again(first).state == State.STALE
    anew = ask_again(first.reference, member=ana)
    assert anew.params["limits"]["nonce_window"] == 7
    assert yes(anew, ben).state == State.EXECUTED
    assert ServiceUser.objects.get(pk=trading_bot.service_user.pk).nonce_window == 7


def test_a_rotation_asked_again_replaces_the_keys_that_work_by_then(ana, owner, trading_bot):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first = propose(rotate_key, actor=ana, params=rotation_of(trading_bot))
        revoke_key(actor=owner, api_key=trading_bot.key, reason="Its secret is lost.")
        clock.shift(timedelta(days=3))
        assert ask_again(first.reference, member=ana).params["replaced"] == []
    assert first.params["replaced"] == [trading_bot.key.short]


def test_a_key_is_made_for_the_account_of_its_bot_alone(owner, world, trading_bot):
    """P2: who may withdraw from one Account answers for its keys, and not for those of another."""
    other = Account.objects.create(organization=world.organization, name="Reserve", created_at=timezone.now())
    with pytest.raises(Conflict, match="does not belong to that account"):
        propose(rotate_key, actor=owner, params=rotation_of(trading_bot, account_id=other.pk))
    assert ApiKey.objects.filter(service_user=trading_bot.service_user).count() == 1


def test_no_key_asks_for_a_key(trading_bot, treasury_bot):
    """AP-10: neither at the door, nor by a request that got in another way."""
    bot = treasury_bot.service_user
    with pytest.raises(Refused):
        propose(rotate_key, actor=bot, params=rotation_of(trading_bot), api_key=treasury_bot.key)
    with pytest.raises(Refused, match="Only a member can ask for this"):
        asking_member(ChangeRequest(organization=bot.organization, service_user=bot))
