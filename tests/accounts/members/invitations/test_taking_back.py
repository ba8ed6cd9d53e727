"""An invitation that others agreed to, taken back by a request: what it says, and what it must not do."""

import pytest

from accounts.members import invitations
from accounts.members.revoke_invitation import TakeBack, take_back_invitation
from accounts.models import Invitation, Member
from policies.changes import propose
from policies.models import State
from portal.core.errors import Conflict, NotFound
from tests.accounts.conftest import request_words
from tests.accounts.members.invitations.conftest import NEW, NORA, invited
from tests.policies.conftest import again, yes

pytestmark = pytest.mark.django_db


@pytest.fixture
def agreed(ana, ben):
    """Ana asked for Nora, and Ben agreed."""
    yes(invited(ana), ben)
    return Invitation.objects.get()


def takes_back(actor, invitation):
    return propose(take_back_invitation, actor=actor, params=TakeBack(invitation.pk, invitation.email))


def test_the_request_says_whose_link_ends(client, ana, ben, agreed, sign_in):
    change = takes_back(ana, agreed)
    sign_in(client, ben)
    text = request_words(client, change)
    assert f"Ana Ruiz asks to take back the invitation of {NORA}. Its link works no longer." in text
    assert f"Take back the invitation of {NORA}" in text


def test_who_came_in_meanwhile_stays(ana, ben, agreed):
    """R6: it was asked about a door, and not about a member."""
    change = takes_back(ana, agreed)
    invitations.accept(agreed, name="Nora Falk", password=NEW)
    with pytest.raises(Conflict, match="stale"):
        yes(change, ben)
    assert again(change).state == State.STALE
    assert Member.objects.get(user__email=NORA).removed_at is None


def test_what_was_answered_is_not_asked_to_be_taken_back(ana, agreed):
    invitations.accept(agreed, name="Nora Falk", password=NEW)
    with pytest.raises(Conflict, match="answered or taken back already"):
        takes_back(ana, agreed)


def test_nobody_takes_back_an_invitation_next_door(eve, agreed):
    """AZ-2: a foreign one is as unknown as one that never was."""
    with pytest.raises(NotFound, match="no such invitation"):
        takes_back(eve, agreed)
    assert Invitation.objects.open().exists()
