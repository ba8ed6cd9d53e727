"""What those who decide read of a request about somebody or something that is stopped (DESIGN R7)."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.api_keys.revoke import params_of, revoke_key
from accounts.emergency_stop import stop
from accounts.emergency_stop.keep_out import KeepOut, keep_out
from accounts.emergency_stop.lift_suspension import LiftMemberSuspension, lift_member_suspension
from policies.changes import propose
from policies.models import State
from portal.core.display.phrases import dated
from portal.core.errors import NotFound, Refused
from tests.accounts.conftest import request_words
from tests.policies.conftest import yes

pytestmark = pytest.mark.django_db
WHY = "It has to stop."


def keeps_out(actor, member):
    return propose(keep_out, actor=actor, params=KeepOut(member.pk))


def lifts(actor, member):
    return propose(lift_member_suspension, actor=actor, params=LiftMemberSuspension(member.pk))


def test_to_keep_somebody_out_says_how_it_would_end_without_that(client, ana, ben, cleo, sign_in):
    """Whoever agrees turns an end by the clock into none."""
    stop.suspend_member(actor=ana, member=ben, reason=WHY)
    change = keeps_out(ana, ben)
    ben.refresh_from_db()
    sign_in(client, cleo)
    text = request_words(client, change)
    assert "Ana Ruiz asks to keep Ben Adeyemi out until that is lifted." in text
    assert "suspended by Ana Ruiz" in text
    assert f"That would end {dated(ben.suspended_until)}" in text
    assert "never by itself: only by a request to lift it" in text


def test_to_keep_somebody_out_who_comes_and_goes_speaks_of_no_other_end(client, ana, ben, cleo, sign_in):
    change = keeps_out(ana, ben)
    sign_in(client, cleo)
    text = request_words(client, change)
    assert "never by itself" in text
    assert "That would end" not in text


def test_nobody_keeps_themselves_out(owner, ana):
    for member in (owner, ana):
        with pytest.raises(Refused, match="End your other sessions under Security instead"):
            keeps_out(member, member)
        member.refresh_from_db()
        assert not member.is_suspended


def test_to_lift_a_suspension_says_whose_it_is_and_when_it_ends_anyway(client, ana, ben, cleo, sign_in):
    with time_machine.travel(timezone.now(), tick=False):
        stop.suspend_member(actor=ana, member=ben, reason=WHY)
        change = lifts(ana, ben)
        sign_in(client, cleo)
        text = request_words(client, change)
        assert "Ana Ruiz asks that Ben Adeyemi may sign in again, with the rights they hold." in text
        assert f"Suspended {dated(timezone.now())}" in text
        assert "By Ana Ruiz" in text
        assert f"Ends by itself {dated(timezone.now() + timedelta(hours=72))}" in text


def test_to_let_in_who_is_kept_out_says_that_nothing_else_does(client, owner, ana, ben, cleo, sign_in):
    assert keeps_out(owner, ben).state == State.EXECUTED
    change = lifts(ana, ben)
    sign_in(client, cleo)
    assert "Ends by itself no: kept out" in request_words(client, change)
    yes(change, cleo)
    assert "Ends by itself" not in request_words(client, change), "it has ended by now"


def test_to_revoke_a_key_says_which_and_that_it_is_for_good(client, ana, ben, treasury_bot, sign_in):
    change = propose(revoke_key, actor=ana, params=params_of(treasury_bot.key))
    sign_in(client, ben)
    text = request_words(client, change)
    assert f"Ana Ruiz asks to revoke the key {treasury_bot.key.short} of treasury-bot." in text
    assert "It stops for ever" in text
    yes(change, ben)
    text = request_words(client, change)
    assert f"asked to revoke the key {treasury_bot.key.short} of treasury-bot." in text


def test_nobody_asks_to_revoke_a_key_next_door(eve, treasury_bot):
    """AZ-2: a foreign key is as unknown as one that never was."""
    with pytest.raises(NotFound, match="no such key"):
        propose(revoke_key, actor=eve, params=params_of(treasury_bot.key))
    treasury_bot.key.refresh_from_db()
    assert treasury_bot.key.is_active
