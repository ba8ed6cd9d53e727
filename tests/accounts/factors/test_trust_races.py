"""Races of what counts where, of rest and of names, each from two connections at the same moment."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.authentication import session_data
from accounts.authentication.email_links import new_token
from accounts.authentication.session_store import SessionStore
from accounts.factors.enrolled import held, kind_of, mark_of
from accounts.members import invitations, profile
from accounts.models import Authenticator, Invitation, Member, RecoveryCode, SecurityNotice
from accounts.organizations.founding import add_member
from accounts.security import cooldown, factor_changes
from accounts.security.reset_factors import ResetFactors, reset_factors
from policies.changes import propose
from portal.core.errors import Invalid
from tests.factories.authenticator import SoftPasskey

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_people_take_one_name_at_once_and_one_gets_it(race, world, ana, ben):
    """fault security-M4: change ∥ change, to names that look alike."""
    wanted = ("Nell Novak", "Nell Nov\u0430k")
    answers = race(lambda number: profile.change((ana, ben)[number], name=wanted[number], time_zone="UTC"), 2)
    assert sorted(type(answer).__name__ for answer in answers) == ["Invalid", "NoneType"]


def test_a_name_is_taken_and_accepted_at_once(race, world, owner, ana):
    """fault security-M4: change ∥ accept an invitation."""
    link, now = new_token(), timezone.now()
    found = Invitation.objects.create(
        organization=world.organization,
        email="nell@demo.test",
        name="Nell",
        invited_by=owner,
        token_digest=link.digest,
        created_at=now,
        sent_at=now,
        expires_at=now + timedelta(days=1),
    )
    acts = (
        lambda: profile.change(ana, name="Nell Novak", time_zone="UTC"),
        lambda: invitations.accept(found, name="Nell Nov\u0430k", password="a long walk by the sea"),
    )
    answers = race(lambda number: acts[number](), 2)
    assert sum(isinstance(answer, Invalid) for answer in answers) == 1


def test_a_reset_and_letting_a_factor_count_leave_nothing_counting(race, world, owner, ben):
    """fault rules-A: reset ∥ let count here; whichever comes first, nothing of before counts afterwards."""
    there = add_member(world.elsewhere, ben.user, rights=[])
    other = SoftPasskey().enrolled(ben.user, name="Elsewhere")
    other.places.set([there])
    mine = Authenticator.objects.get(user=ben.user)
    store = SessionStore()
    session_data.start(store, ben, factor=kind_of(mine), mark=mark_of(mine))
    acts = (
        lambda: propose(reset_factors, actor=owner, params=ResetFactors(ben.pk)),
        lambda: factor_changes.let_count_here(other, member=ben, store=store),
    )
    race(lambda number: acts[number](), 2)
    assert held(ben) == frozenset()
    assert held(there) == {"totp", "passkey"}
    ben.refresh_from_db()
    assert ben.is_resting


def test_a_reset_and_new_codes_leave_no_code(race, world, owner, ben):
    """fault rules-A: reset ∥ new recovery codes."""
    mine = Authenticator.objects.get(user=ben.user)
    store = SessionStore()
    session_data.start(store, ben, factor=kind_of(mine), mark=mark_of(mine))
    acts = (
        lambda: propose(reset_factors, actor=owner, params=ResetFactors(ben.pk)),
        lambda: factor_changes.new_codes(ben, store),
    )
    race(lambda number: acts[number](), 2)
    assert not RecoveryCode.objects.filter(places=ben).exists()


def test_the_day_of_rest_begins_once(race, world, owner, ana, ben, cleo, fay):
    """fault rules-C: enrolled ∥ enrolled, in two browsers; all who approve are told once."""
    cooldown.begin([ben])

    def enrol(_number: int) -> None:
        with transaction.atomic():
            made = Authenticator.objects.create(
                user=ben.user, name="new", confirmed=True, sealed_seed="-", created_at=timezone.now()
            )
            factor_changes.added(made, [ben], member=ben, key=None)

    assert race(enrol, 2) == [None, None]
    assert SecurityNotice.objects.filter(kind="member_enrolled", user=cleo.user).count() == 1
    assert Member.objects.get(pk=ben.pk).factors_enrolled_at is not None
