"""Brakes end what a bot asked for, and give its holds back."""

from dataclasses import replace
from decimal import Decimal

import pytest

from accounts.emergency_stop.stop import revoke_key, suspend_service_user
from accounts.models import ApiKey
from accounts.service_users.create_and_change import change_service_user
from accounts.service_users.key_settings import limits_of
from accounts.service_users.params import ChangeServiceUser, RemoveServiceUser
from accounts.service_users.reinstate_and_remove import remove_service_user
from policies.changes import propose
from policies.models import ChangeRequest, State
from portal.core.errors import Conflict, NotFound, Refused
from portal.treasury.withdrawals import request_withdrawal
from portal.venues.registry import venue

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(treasury_bot, account):
    """A withdrawal that waits for two approvals, with its amount held."""
    return request_withdrawal(
        actor=treasury_bot.service_user,
        account=account,
        key="btc-cold",
        asset="XXBT",
        amount=Decimal("1.5"),
        api_key=treasury_bot.key,
    )


def free(account) -> Decimal:
    (btc,) = (b for b in venue("paper").balances(account.pk) if b.asset.code == "BTC")
    return Decimal(btc.units - btc.held_by_withdrawals_units).scaleb(-btc.asset.decimals)


def revoke(owner, bot):
    revoke_key(actor=owner, api_key=bot.key, reason="It has to stop.")


def suspend(owner, bot):
    suspend_service_user(actor=owner, service_user=bot.service_user, reason="It has to stop.")


def remove(owner, bot):
    propose(remove_service_user, actor=owner, params=RemoveServiceUser(bot.service_user.pk))


def take_withdraw_away(owner, bot):
    before = limits_of(bot.service_user)
    after = replace(before, permissions=tuple(p for p in before.permissions if p != "withdraw-funds"))
    params = ChangeServiceUser(bot.service_user.pk, bot.service_user.account_id, before, after)
    propose(change_service_user, actor=owner, params=params)


@pytest.mark.parametrize("brake", [revoke, suspend, remove, take_withdraw_away])
def test_what_the_bot_asked_for_is_cancelled_at_once(owner, account, treasury_bot, waiting, brake):
    """R5: and the money is free again."""
    held = free(account)
    brake(owner, treasury_bot)
    change = ChangeRequest.objects.get(pk=waiting.pk)
    assert change.state == State.CANCELLED
    assert "treasury-bot" in change.reason or treasury_bot.key.short in change.reason
    assert free(account) > held


def test_a_narrower_setting_leaves_its_requests_alone(owner, treasury_bot, waiting):
    before = limits_of(treasury_bot.service_user)
    after = replace(before, ip_allow_list=("203.0.113.7",))
    params = ChangeServiceUser(treasury_bot.service_user.pk, treasury_bot.service_user.account_id, before, after, True)
    propose(change_service_user, actor=owner, params=params)
    assert ChangeRequest.objects.get(pk=waiting.pk).state == State.PENDING


@pytest.mark.parametrize("who", ["ben", "audit"])
def test_who_may_not_ask_pulls_no_brake(world, treasury_bot, who):
    member = world.members[who]
    with pytest.raises(Refused):
        revoke_key(actor=member, api_key=treasury_bot.key, reason="It has to stop.")
    with pytest.raises(Refused):
        suspend_service_user(actor=member, service_user=treasury_bot.service_user, reason="It has to stop.")


def test_nobody_brakes_next_door(eve, treasury_bot):
    """O1: to them there is no such thing."""
    with pytest.raises(NotFound):
        revoke_key(actor=eve, api_key=treasury_bot.key, reason="It has to stop.")
    with pytest.raises(NotFound):
        suspend_service_user(actor=eve, service_user=treasury_bot.service_user, reason="It has to stop.")


def test_a_brake_is_pulled_once(owner, treasury_bot):
    revoke(owner, treasury_bot)
    with pytest.raises(Conflict):
        revoke(owner, treasury_bot)
    suspend(owner, treasury_bot)
    with pytest.raises(Conflict):
        suspend(owner, treasury_bot)


def test_a_revoked_key_stays_so_whatever_happens_to_its_bot(owner, treasury_bot):
    revoke(owner, treasury_bot)
    suspend(owner, treasury_bot)
    assert not ApiKey.objects.get(pk=treasury_bot.key.pk).is_active
