"""What those who decide read of a request about the Organization itself (DESIGN R7)."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models.organization import SecondFactorLevel
from accounts.organizations import ownership, sign_in_rules
from accounts.organizations.settings import ChangeSecurity, change_security
from accounts.organizations.sign_in_rules import Security
from policies.changes import propose
from policies.models import ChangeRequest, State
from portal.core.errors import Conflict
from tests.accounts.conftest import request_words
from tests.accounts.organizations.test_organization import ask_security, ask_transfer, yes
from tests.factories.authenticator import SoftPasskey
from tests.factories.people import proof

pytestmark = pytest.mark.django_db


def test_terms_of_signing_in_are_read_as_they_are_and_as_they_shall_be(client, ana, ben, sign_in):
    change = ask_security(ana, idle_minutes=60, absolute_hours=4)
    sign_in(client, ben)
    text = request_words(client, change)
    now = sign_in_rules.of(ana.organization)
    assert "Ana Ruiz asks to change how members of Demo Treasury sign in." in text
    for words in (
        f"after {now.idle_minutes} minutes",
        "after 60 minutes",
        f"after {now.absolute_hours} hours",
        "after 4 hours",
    ):
        assert words in text
    assert "Sign-in 2FA level" not in text, "it stays as it is"


def test_a_higher_level_names_who_does_not_meet_it(client, ana, owner, ben, cleo, fay, sign_in):
    """F-12: whoever agrees knows whom it will lead to enrolment."""
    for member in (owner, ben, cleo, fay):
        SoftPasskey().enrolled(member.user)
    change = ask_security(ana, level=SecondFactorLevel.PASSKEY)
    sign_in(client, ben)
    text = request_words(client, change)
    assert "2 of 6 members do not meet the new level." in text
    assert "Ana Ruiz, Otto Berg: led to enrolment at their next page" in text


def test_terms_that_are_not_those_shown_are_not_changed(owner):
    """Whoever looked at other limits than hold now did not see what they would write over."""
    before = sign_in_rules.of(owner.organization)
    ask_security(owner, idle_minutes=15)
    after = Security(before.level, 60, before.absolute_hours)
    with pytest.raises(Conflict, match="were changed since this was asked"):
        propose(change_security, actor=owner, params=ChangeSecurity(before=before, after=after))
    assert sign_in_rules.of(owner.organization).idle_minutes == 15


def test_the_owner_changes_the_limits_on_their_page(client, owner, sign_in):
    sign_in(client, owner)
    answer = client.post("/organization/security/", {"level": "any", "idle_minutes": 20, "absolute_hours": 6})
    assert answer.url == "/organization/"
    assert sign_in_rules.of(owner.organization) == Security(SecondFactorLevel.ANY, 20, 6)
    assert ChangeRequest.objects.get(operation="accounts.change_security").state == State.EXECUTED


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


@pytest.fixture
def offered(owner, ana, ben, clock):
    """The ownership is offered to Ana, and she has not said anything."""
    return yes(ask_transfer(owner, ana), ben)


def test_before_it_is_agreed_to_the_ownership_is_to_be_accepted_in_time(client, owner, ana, ben, sign_in):
    change = ask_transfer(owner, ana)
    sign_in(client, ben)
    assert "Ana Ruiz has to accept it until" in request_words(client, change)


def test_an_offer_says_whom_it_waits_for(client, ben, offered, sign_in):
    sign_in(client, ben)
    assert "waits for Ana Ruiz until" in request_words(client, offered)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda ana: ownership.accept(by=ana, proof=proof()), "Acceptance accepted"),
        (lambda ana: ownership.decline(by=ana), "Acceptance declined"),
    ],
)
def test_an_answered_offer_says_how(client, ana, ben, offered, sign_in, answer, words):
    answer(ana)
    sign_in(client, ben)
    assert words in request_words(client, offered)


def test_an_offer_that_nobody_answered_says_until_when_it_stood(client, ben, clock, offered, sign_in):
    clock.move_to(offered.expires_at + timedelta(minutes=1))
    sign_in(client, ben)
    assert "Ana Ruiz did not accept it until" in request_words(client, offered)
