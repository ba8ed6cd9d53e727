"""Power on its way to somebody is protected like power they hold: an unrevealed key, an offer of ownership (P4)."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from accounts import grants
from accounts.api_keys import lifecycle
from accounts.members.change_rights import ChangeRights, change_rights
from accounts.models import ApiKey, OwnershipOffer
from accounts.security.reset_factors import ResetFactors, reset_factors
from accounts.service_users.create_and_change import create_service_user
from accounts.service_users.params import CreateServiceUser
from policies import snapshot as gathering
from policies.changes import propose
from policies.models import Policy, State
from policies.workflows import Workflow
from tests.accounts.organizations.test_organization import ask_transfer, yes

pytestmark = pytest.mark.django_db


@pytest.fixture
def locked(world):
    """One approval on withdrawals, always asked, locked: the policy says two people."""
    Policy.objects.filter(organization=world.organization, workflow=Workflow.INITIATE_WITHDRAWAL.value).update(
        approvals=1, always=True, is_locked=True
    )


def asked_key(ana, ben, account) -> ApiKey:
    params = CreateServiceUser(
        name="payer",
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
    assert yes(propose(create_service_user, actor=ana, params=params), ben).state == State.EXECUTED
    return ApiKey.objects.get(service_user__name="payer")


def stripped(owner, member) -> None:
    change = ChangeRights(member_id=member.pk, before=grants.of(member), after=())
    assert propose(change_rights, actor=owner, params=change).state == State.EXECUTED


def awaits(member) -> bool:
    person = gathering.gather(member.organization).person(member.pk)
    return person is not None and person.awaits_power


def test_a_key_that_nobody_has_revealed_protects_its_maker(locked, owner, ana, ben, account):
    """fault rules-B: stripped, reset and revealed by one person, it was a withdrawal by one person."""
    asked_key(ana, ben, account)
    stripped(owner, ana)
    change = propose(reset_factors, actor=owner, params=ResetFactors(ana.pk))
    assert (change.state, change.approvals_required) == (State.PENDING, 1)


@pytest.mark.parametrize("end", ["revealed", "revoked", "lapsed"])
def test_only_as_long_as_it_waits(locked, owner, ana, ben, account, end):
    """P4: what they revealed is in their hands, what is dead in nobody's: who held no more is reset as before."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        key = asked_key(ana, ben, account)
        assert awaits(ana)
        if end == "revealed":
            lifecycle.reveal(key.pk, member=ana)
        elif end == "revoked":
            lifecycle.revoke(key, at=timezone.now())
        else:
            clock.shift(settings.CLAIM_KEY_WITHIN)
        assert not awaits(ana)
        stripped(owner, ana)
        assert propose(reset_factors, actor=owner, params=ResetFactors(ana.pk)).state == State.EXECUTED


@pytest.mark.parametrize("end", ["open", "declined", "late"])
def test_an_open_offer_protects_whom_it_is_made_to(locked, world, owner, ana, ben, cleo, end):
    """fault rules-B: an offer that waits for somebody without rights is sixteen rights under way."""
    stripped(owner, ana)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert yes(ask_transfer(owner, ana), ben).state == State.EXECUTED
        offer = OwnershipOffer.objects.get()
        if end == "declined":
            OwnershipOffer.objects.update(declined_at=timezone.now())
        elif end == "late":
            clock.move_to(offer.expires_at + timedelta(seconds=1))
        change = propose(reset_factors, actor=owner, params=ResetFactors(ana.pk))
        assert change.state == (State.PENDING if end == "open" else State.EXECUTED)


def test_what_is_under_way_next_door_protects_nothing_here(world, owner, ana, ben, account, locked):
    """O1: the question is asked of each Organization by itself."""
    assert not awaits(ben)
    asked_key(ana, ben, account)
    assert not awaits(ben)
    assert awaits(ana)
    assert not awaits(world.members["eve"])
