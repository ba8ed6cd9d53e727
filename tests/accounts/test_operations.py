"""The operations themselves, around any form: what they refuse, and who must agree."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.emergency_stop.stop import suspend_service_user
from accounts.forecast import forecast
from accounts.models import ApiKey, Custodian, ServiceUser
from accounts.service_users.create_and_change import change_service_user, create_service_user
from accounts.service_users.key_settings import limits_of
from accounts.service_users.params import ChangeServiceUser, CreateServiceUser, LiftSuspension
from accounts.service_users.reinstate_and_remove import lift_suspension
from policies.access import grant
from policies.changes import decide, propose
from policies.models import ChangeRequest, State
from policies.operations import RemovePolicy, remove_policy
from policies.registry import get
from policies.snapshot import gather
from policies.workflows import Right, Workflow
from portal.core.errors import Conflict, DomainError, Invalid, NotFound, Refused

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def params(account):
    return CreateServiceUser(
        name="payroll-bot",
        account_id=account.pk,
        permissions=("query-funds", "withdraw-funds"),
        expires_at=None,
        query_start=None,
        query_end=None,
        websocket=False,
        nonce_window=0,
        ip_allow_list=(),
        acknowledged=True,
    )


def test_a_bot_and_its_key_are_made_together(owner, params):
    change = propose(create_service_user, actor=owner, params=params)
    assert change.state == State.EXECUTED
    key = ApiKey.objects.get(service_user__name="payroll-bot")
    assert not key.is_active
    assert Custodian.objects.get(api_key=key).member == owner


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "trading-bot"}, "name"),
        ({"name": "a b"}, "name"),
        ({"permissions": ("everything",)}, "permissions"),
        ({"ip_allow_list": ("0.0.0.0/0",)}, "ip_allow_list"),
        ({"acknowledged": False}, "acknowledged"),
        ({"nonce_window": -1}, "nonce_window"),
        ({"query_start": NOW, "query_end": NOW}, "query_end"),
        ({"expires_at": NOW}, "expires_at"),
    ],
)
def test_what_a_form_would_refuse_the_operation_refuses_too(owner, params, fields, field):
    with pytest.raises(Invalid) as refused:
        propose(create_service_user, actor=owner, params=replace(params, **fields))
    assert refused.value.field == field
    assert not ServiceUser.objects.filter(name="payroll-bot").exists()


@pytest.mark.parametrize("permission", ["query-funds", "withdraw-funds"])
def test_another_organizations_account_is_not_there(world, owner, params, permission):
    elsewhere = world.elsewhere.accounts.get()
    there = replace(params, account_id=elsewhere.pk, permissions=(permission,))
    with pytest.raises(DomainError, match=r"(?i)no such account"):
        propose(create_service_user, actor=owner, params=there)


def test_a_bot_makes_no_bots(treasury_bot, params):
    """AP-10: keys cannot make keys."""
    with pytest.raises(DomainError):
        propose(create_service_user, actor=treasury_bot.service_user, params=params, api_key=treasury_bot.key)


def test_who_may_only_approve_asks_for_nothing(ben, params):
    with pytest.raises(Refused):
        propose(create_service_user, actor=ben, params=params)


def test_without_a_policy_on_withdrawals_giving_withdraw_takes_who_may_execute_them(ana, ben, owner, params, fresh):
    """P2: Execute on Initiate Withdrawal, from the initiator or from one approver."""
    propose(remove_policy, actor=owner, params=RemovePolicy(Workflow.INITIATE_WITHDRAWAL))
    told = forecast(ana, account_id=params.account_id, afterwards="Then.")
    assert told.waits
    assert told.text.endswith("may execute them: Olive Marsh.")
    change = propose(create_service_user, actor=ana, params=params)
    decide(change.reference, member=ben, approved=True, digest=change.digest, proof=fresh(change))
    assert ChangeRequest.objects.get(pk=change.pk).state == State.PENDING
    decide(change.reference, member=owner, approved=True, digest=change.digest, proof=fresh(change))
    assert ChangeRequest.objects.get(pk=change.pk).state == State.EXECUTED


def test_a_notice_looks_at_the_organization_once_for_all_that_it_says(ana, params):
    """The plain answer, what giving Withdraw asks for on top, and what a lock would raise it to."""
    with CaptureQueriesContext(connection) as once:
        gather(ana.organization)
    with CaptureQueriesContext(connection) as told:
        forecast(ana, account_id=params.account_id, afterwards="Then.", protected_if="with Withdraw")
    assert len(told) == len(once) > 0


@pytest.fixture
def fay_administers(world, owner, fay):
    """Fay finishes alone in Manage Access, holds no Execute on withdrawals, and nothing governs them."""
    propose(remove_policy, actor=owner, params=RemovePolicy(Workflow.INITIATE_WITHDRAWAL))
    grant(fay, Workflow.MANAGE_ACCESS, Right.EXECUTE)
    return fay


def test_lifting_the_suspension_of_a_bot_that_may_withdraw_is_giving_withdraw(fay_administers, treasury_bot):
    """P2: it is given back only with somebody who may execute withdrawals."""
    suspend_service_user(actor=fay_administers, service_user=treasury_bot.service_user, reason="It has to stop.")
    change = propose(lift_suspension, actor=fay_administers, params=LiftSuspension(treasury_bot.service_user.pk))
    assert change.state == State.PENDING
    assert change.approvals_required == 1


def test_reviving_an_expired_key_that_may_withdraw_is_giving_withdraw(fay_administers, treasury_bot):
    """P2: an expired key has lost the power; a later expiry gives it back."""
    treasury_bot.key.expires_at = timezone.now() - timedelta(days=1)
    treasury_bot.key.save()
    before = limits_of(treasury_bot.service_user)
    asked = ChangeServiceUser(
        service_user_id=treasury_bot.service_user.pk,
        account_id=treasury_bot.service_user.account_id,
        before=before,
        after=replace(before, expires_at=None),
        acknowledged=True,
    )
    change = propose(change_service_user, actor=fay_administers, params=asked)
    assert change.state == State.PENDING
    assert change.approvals_required == 1


def test_a_change_names_the_bot_of_its_own_organization(eve, trading_bot):
    before = limits_of(trading_bot.service_user)
    asked = ChangeServiceUser(
        service_user_id=trading_bot.service_user.pk,
        account_id=trading_bot.service_user.account_id,
        before=before,
        after=replace(before, websocket=True),
        acknowledged=True,
    )
    with pytest.raises(NotFound):
        propose(change_service_user, actor=eve, params=asked)


def test_a_change_cannot_pretend_that_the_bot_could_withdraw_before(ana, trading_bot):
    """P2: `before` decides whether Withdraw is given, so it must be true."""
    before = limits_of(trading_bot.service_user)
    with_money = (*before.permissions[:3], "withdraw-funds", *before.permissions[3:])
    asked = ChangeServiceUser(
        service_user_id=trading_bot.service_user.pk,
        account_id=trading_bot.service_user.account_id,
        before=replace(before, permissions=with_money),
        after=replace(before, permissions=with_money, websocket=True),
        acknowledged=True,
    )
    with pytest.raises(Conflict, match="was changed since"):
        propose(change_service_user, actor=ana, params=asked)


def test_a_change_is_told_step_by_step(ana, trading_bot):
    before = limits_of(trading_bot.service_user)
    after = replace(before, permissions=("query-funds", "withdraw-funds"), nonce_window=9)
    asked = ChangeServiceUser(
        service_user_id=trading_bot.service_user.pk,
        account_id=trading_bot.service_user.account_id,
        before=before,
        after=after,
        acknowledged=True,
    )
    change = propose(change_service_user, actor=ana, params=asked)
    sentence = get(change.operation).describe(change).sentence
    assert "<b>trading-bot</b>: give it Withdraw; take Earn, Deposit, " in sentence
    assert "Export data away; set another Nonce window. Its keys stay the same." in sentence
