"""Keys that are paused, and lifting once what one member stopped (DESIGN §4, R5)."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.api_keys import lifecycle
from accounts.api_keys.revoke import params_of, revoke_key
from accounts.emergency_stop import active, stop
from accounts.emergency_stop.lift_stops import all_of, lift_stops, pause_of
from accounts.models import Account, ApiKey, Member, ServiceUser
from policies.changes import propose
from policies.models import ChangeRequest, Grant, Policy, State
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, NotFound, Refused
from portal.treasury.withdrawals import request_withdrawal
from tests.accounts.emergency_stop.test_holds_given_back import free
from tests.policies.conftest import yes

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(treasury_bot, account):
    return request_withdrawal(
        actor=treasury_bot.service_user,
        account=account,
        key="btc-cold",
        asset="XXBT",
        amount=Decimal("1.5"),
        api_key=treasury_bot.key,
    )


def again(key) -> ApiKey:
    return ApiKey.objects.select_related("service_user").get(pk=key.pk)


def test_who_is_no_custodian_pauses_a_key_and_does_not_revoke_it(ana, treasury_bot):
    """fault rules-f: Ana may ask on Manage Access, and has never held that key."""
    with pytest.raises(Refused, match="Pause it, or ask that it is revoked"):
        stop.revoke_key(actor=ana, api_key=treasury_bot.key, reason="It has to stop.")
    assert lifecycle.find(treasury_bot.key.public) is not None
    stop.pause_key(actor=ana, api_key=treasury_bot.key, reason="Seen in a paste.")
    key = again(treasury_bot.key)
    assert (key.is_active, key.paused_by, key.revoked_at) == (False, ana, None)
    lifecycle.forget(key.public)
    assert lifecycle.find(key.public) is None
    assert AuditEvent.objects.get(kind="key.paused").data["reason"] == "Seen in a paste."
    with pytest.raises(Conflict, match="paused already"):
        stop.pause_key(actor=ana, api_key=treasury_bot.key, reason="It has to stop.")


def test_what_a_paused_key_asked_for_is_cancelled_and_it_asks_for_nothing(ana, account, treasury_bot, waiting):
    """fault rules-f: in the spirit of R5, as with a bot that is suspended."""
    held = free(account)
    stop.pause_key(actor=ana, api_key=treasury_bot.key, reason="It has to stop.")
    assert ChangeRequest.objects.get(pk=waiting.pk).state == State.CANCELLED
    assert free(account) > held
    with pytest.raises(Refused, match="in force"):
        request_withdrawal(
            actor=treasury_bot.service_user,
            account=account,
            key="btc-cold",
            asset="XXBT",
            amount=Decimal(1),
            api_key=treasury_bot.key,
        )


def test_before_a_key_is_paused_the_page_counts_what_that_cancels(client, ana, treasury_bot, waiting, sign_in):
    sign_in(client, ana)
    way = reverse("accounts:pause", args=["treasury-bot", treasury_bot.public])
    assert "one request that waits" in client.get(way).content.decode()
    stop.pause_key(actor=ana, api_key=treasury_bot.key, reason="It has to stop.")
    assert ChangeRequest.objects.get(pk=waiting.pk).state == State.CANCELLED


def test_lifted_by_a_request_it_works_again_with_the_secret_it_has(owner, ana, ben, treasury_bot):
    """fault rules-f: nothing has to be changed in the bot."""
    secret = again(treasury_bot.key).sealed_secret
    stop.pause_key(actor=ana, api_key=treasury_bot.key, reason="It has to stop.")
    change = propose(lift_stops, actor=ben, params=pause_of(again(treasury_bot.key)))
    assert change.state == State.PENDING
    assert yes(change, owner).state == State.EXECUTED
    key = again(treasury_bot.key)
    assert (key.is_active, key.paused_at) == (True, None)
    assert key.sealed_secret == secret
    assert lifecycle.find(key.public) is not None
    with pytest.raises(Conflict, match="not paused"):
        pause_of(key)


def test_for_good_it_ends_by_its_custodians_at_once_or_by_a_request(owner, ana, ben, treasury_bot, trading_bot):
    """fault rules-f."""
    stop.revoke_key(actor=owner, api_key=trading_bot.key, reason="It has to stop.")
    stop.pause_key(actor=ana, api_key=treasury_bot.key, reason="It has to stop.")
    change = propose(revoke_key, actor=ana, params=params_of(again(treasury_bot.key)))
    assert again(treasury_bot.key).revoked_at is None
    yes(change, ben)
    assert again(treasury_bot.key).revoked_at is not None
    with pytest.raises(Conflict, match="ended already"):
        propose(revoke_key, actor=ana, params=params_of(again(treasury_bot.key)))


def test_one_request_lifts_all_that_one_member_stopped(owner, ana, ben, cleo, treasury_bot, trading_bot, readonly_bot):
    """fault rules-f: Hal in one sitting; back by one request."""
    stop.pause_key(actor=ana, api_key=treasury_bot.key, reason="It has to stop.")
    stop.suspend_service_user(actor=ana, service_user=trading_bot.service_user, reason="It has to stop.")
    stop.suspend_member(actor=ana, member=cleo, reason="It has to stop.")
    stop.pause_key(actor=owner, api_key=readonly_bot.key, reason="It has to stop.")
    assert [len(found.stops) for found in active.by_member(ana.organization_id)] == [3, 1]
    change = propose(lift_stops, actor=ben, params=all_of(ana))
    yes(change, owner)
    assert again(treasury_bot.key).is_active
    trading_bot.service_user.refresh_from_db()
    assert trading_bot.service_user.is_active
    assert Member.objects.get(pk=cleo.pk).suspended_at is None
    assert not again(readonly_bot.key).is_active
    with pytest.raises(Conflict, match="Nothing of this is stopped"):
        propose(lift_stops, actor=ben, params=all_of(ana))


def test_what_a_member_stopped_who_was_removed_meanwhile_is_not_stopped_for_ever(
    client, ana, ben, cleo, sign_in, treasury_bot, trading_bot
):
    """Nobody has to keep a member, or have the operator at hand, to lift what that member stopped."""
    stop.pause_key(actor=ana, api_key=treasury_bot.key, reason="Seen in a paste.")
    stop.suspend_service_user(actor=ana, service_user=trading_bot.service_user, reason="It spins.")
    Member.objects.filter(pk=ana.pk).update(removed_at=timezone.now())
    sign_in(client, ben)
    answer = client.post(reverse("accounts:lift_stops", args=[ana.pk]))
    change = ChangeRequest.objects.get(operation="accounts.lift_stops")
    assert answer.status_code == 302
    yes(change, cleo)
    assert again(treasury_bot.key).is_active


@pytest.mark.parametrize("governed", [True, False])
def test_lifting_for_two_accounts_takes_one_request(world, owner, ana, ben, cleo, treasury_bot, trading_bot, governed):
    """One request lifts all that one member stopped (DESIGN §4); no key gets Withdraw by it from an Account for which
    nobody of those who agreed may execute (P2).
    """
    if not governed:
        Policy.objects.filter(organization=world.organization, workflow="initiate_withdrawal").delete()
    other = Account.objects.create(organization=world.organization, name="Reserve", created_at=timezone.now())
    ServiceUser.objects.filter(pk=trading_bot.service_user.pk).update(
        account=other, permissions=treasury_bot.service_user.permissions
    )
    Grant.objects.create(member=cleo, workflow="initiate_withdrawal", right="execute", account=world.account)
    stop.pause_key(actor=ana, api_key=treasury_bot.key, reason="It has to stop.")
    stop.pause_key(actor=ana, api_key=trading_bot.key, reason="It has to stop.")
    change = propose(lift_stops, actor=ben, params=all_of(ana))
    yes(change, cleo)
    assert again(trading_bot.key).is_active is governed
    if not governed:
        yes(change, owner)
    assert again(trading_bot.key).is_active
    assert again(treasury_bot.key).is_active


def test_what_is_stopped_anew_after_it_was_asked_stays_stopped(owner, ana, ben, treasury_bot):
    """fault rules-f: approvers agreed to lift that pause, not the next one."""
    stop.pause_key(actor=ana, api_key=treasury_bot.key, reason="It has to stop.")
    change = propose(lift_stops, actor=ben, params=all_of(ana))
    ApiKey.objects.filter(pk=treasury_bot.key.pk).update(paused_at=timezone.now() + timedelta(seconds=1))
    with pytest.raises(Conflict, match="was changed since it was asked"):
        yes(change, owner)
    change.refresh_from_db()
    assert change.state == State.STALE
    assert not again(treasury_bot.key).is_active


def test_lifting_is_protected_where_what_comes_back_is_power(world, owner, ana, ben, cleo, treasury_bot, readonly_bot):
    """P4: a key that may withdraw, while a policy is locked; one that only looks is as free as before."""
    Policy.objects.filter(organization=world.organization, workflow="initiate_withdrawal").update(is_locked=True)
    stop.pause_key(actor=ana, api_key=treasury_bot.key, reason="It has to stop.")
    stop.pause_key(actor=ana, api_key=readonly_bot.key, reason="It has to stop.")
    assert propose(lift_stops, actor=owner, params=pause_of(again(readonly_bot.key))).state == State.EXECUTED
    change = propose(lift_stops, actor=owner, params=pause_of(again(treasury_bot.key)))
    assert (change.state, change.approvals_required) == (State.PENDING, 2)


def test_the_database_lets_no_paused_key_work(ana, treasury_bot):
    """fault rules-f: around every function."""
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.filter(pk=treasury_bot.key.pk).update(paused_at=timezone.now(), paused_by=ana)
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.filter(pk=treasury_bot.key.pk).update(paused_at=timezone.now(), is_active=False)


def test_nobody_pauses_next_door_nor_without_the_right(eve, ben, treasury_bot):
    with pytest.raises(NotFound):
        stop.pause_key(actor=eve, api_key=treasury_bot.key, reason="It has to stop.")
    with pytest.raises(Refused):
        stop.pause_key(actor=ben, api_key=treasury_bot.key, reason="It has to stop.")


def test_the_pages_say_by_whom_and_lift_it(client, ana, ben, treasury_bot, sign_in):
    """fault pages-A3, rules-f: on the bot's page, in the inbox of who approves, and on one page for all."""
    stop.pause_key(actor=ana, api_key=treasury_bot.key, reason="It has to stop.")
    sign_in(client, ben)
    page = client.get(reverse("accounts:service_user", args=["treasury-bot"])).content.decode()
    assert "Paused" in page
    assert "by Ana Ruiz" in page
    assert "Lift pause" in page
    assert "Stopped now" in client.get(reverse("policies:inbox")).content.decode()
    listed = client.get(reverse("accounts:active_stops")).content.decode()
    assert treasury_bot.key.short in listed
    answer = client.post(reverse("accounts:lift_stops", args=[ana.pk]))
    change = ChangeRequest.objects.get(operation="accounts.lift_stops")
    assert answer.url == reverse("policies:request", args=[change.reference])
    assert treasury_bot.key.short in client.get(answer.url).content.decode()


def test_who_may_only_look_sees_no_way_to_lift_and_gets_none(client, ana, audit, treasury_bot, sign_in):
    stop.pause_key(actor=ana, api_key=treasury_bot.key, reason="It has to stop.")
    sign_in(client, audit)
    assert "Lift all" not in client.get(reverse("accounts:active_stops")).content.decode()
    assert client.post(reverse("accounts:lift_stops", args=[ana.pk])).status_code == 403
    assert "Stopped now" not in client.get(reverse("policies:inbox")).content.decode()


def test_a_key_that_rotates_out_is_ended_early_by_custodians_alone(owner, ana, treasury_bot):
    """fault rules-f, the brother: that is for good as well."""
    tomorrow = timezone.now() + timedelta(days=1)
    ApiKey.objects.filter(pk=treasury_bot.key.pk).update(retires_at=tomorrow, expires_at=tomorrow)
    with pytest.raises(Refused, match="Only custodians"):
        stop.end_overlap(actor=ana, api_key=treasury_bot.key, reason="It has to stop.")
    stop.end_overlap(actor=owner, api_key=treasury_bot.key, reason="It has to stop.")
    assert again(treasury_bot.key).is_over


def test_a_paused_key_is_not_revealed_until_that_is_lifted(owner, ana, treasury_bot):
    ApiKey.objects.filter(pk=treasury_bot.key.pk).update(is_active=False, revealed_at=None, created_at=timezone.now())
    stop.pause_key(actor=ana, api_key=treasury_bot.key, reason="It has to stop.")
    with pytest.raises(Conflict, match="paused"):
        lifecycle.reveal(treasury_bot.key.pk, member=owner)
    propose(lift_stops, actor=owner, params=pause_of(again(treasury_bot.key)))
    assert not again(treasury_bot.key).is_active
    assert lifecycle.reveal(treasury_bot.key.pk, member=owner).public == treasury_bot.key.public


def test_one_paused_key_is_lifted_from_the_page_of_its_bot(client, owner, ana, treasury_bot, sign_in):
    stop.pause_key(actor=ana, api_key=treasury_bot.key, reason="It has to stop.")
    path = reverse("accounts:lift_pause", args=["treasury-bot", treasury_bot.public])
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, owner)
        clock.shift(timedelta(minutes=6))
        assert "Authentication code" in client.post(path).content.decode()
        assert not again(treasury_bot.key).is_active
    sign_in(client, owner)
    assert client.post(path).url == reverse("accounts:service_user", args=["treasury-bot"])
    assert again(treasury_bot.key).is_active


def test_a_key_that_nobody_claimed_in_time_is_stopped_for_good_and_not_listed(owner, ana, treasury_bot):
    """What can never work again is nothing that anybody could lift."""
    ApiKey.objects.filter(pk=treasury_bot.key.pk).update(is_active=False, revealed_at=None, created_at=timezone.now())
    stop.pause_key(actor=ana, api_key=treasury_bot.key, reason="It has to stop.")
    assert [found.label for found in active.stops(ana.organization_id)] == [treasury_bot.key.short]
    with time_machine.travel(again(treasury_bot.key).claim_by, tick=False):
        assert active.stops(ana.organization_id) == []
