"""A password guessed at, and one set anew by who cannot come in: suspended, without a factor, or unknown."""

import re

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.authentication import email_links
from accounts.models import Authenticator, Member, User
from accounts.models.invitation import LinkPurpose
from accounts.security import password_change
from portal.audit.models import AuditEvent
from tests.factories.world import PASSWORD

pytestmark = pytest.mark.django_db
NEW = "three lanterns under the bridge"
CHANGE, FORGOTTEN, RESET = "/security/password/", "/password/forgotten/", "/password/reset/"


def set_by_link(member) -> Client:
    """A browser in which the person has set `NEW` by a link."""
    visitor = Client()
    visitor.get(f"/password/reset/{email_links.issue(member.user, LinkPurpose.RESET_PASSWORD).text}/")
    answer = visitor.post(RESET, {"password": NEW, "again": NEW})
    assert answer.status_code == 302
    assert User.objects.get(pk=member.user_id).check_password(NEW)
    return visitor


def test_nobody_guesses_the_present_password_in_a_session_left_open(client, owner, sign_in):
    """SI-5: as many tries as at the door; then the right one is not taken either."""
    sign_in(client, owner)
    for number in range(settings.PASSWORD_FAILURES):
        answer = client.post(CHANGE, {"current": f"guess {number}", "password": NEW, "again": NEW})
        assert "not your present password" in answer.content.decode()
    answer = client.post(CHANGE, {"current": PASSWORD, "password": NEW, "again": NEW})
    assert "Too many tries." in answer.content.decode()
    assert User.objects.get(pk=owner.user_id).check_password(PASSWORD)


def test_for_an_address_that_nobody_has_nothing_is_mailed_or_written_down(world, mailed):
    """SI-4: the worker looks, and finds nobody."""
    assert mailed(lambda: Client().post(FORGOTTEN, {"email": "nobody@nowhere.test"})) == []
    assert not AuditEvent.objects.filter(kind="password.link_sent").exists()


def test_who_was_suspended_meanwhile_sets_a_password_and_stays_out(ben):
    """F-9: the link was sent before; what it sets opens nothing while they are out."""
    Member.objects.filter(pk=ben.pk).update(suspended_at=timezone.now())
    visitor = set_by_link(ben)
    visitor.post("/sign-in/", {"email": ben.user.email, "password": NEW})
    assert visitor.get("/inbox/").status_code == 302
    assert not AuditEvent.objects.filter(kind="sign_in.succeeded", actor_id=ben.pk).exists()


def test_who_holds_no_factor_is_led_on_by_the_same_mailbox(ben, mailed):
    """Whose factors were reset, or who never enrolled one, does not stand before a door without a handle."""
    Authenticator.objects.filter(user=ben.user).delete()
    (sent,) = [message for message in mailed(lambda: set_by_link(ben)) if "/enrol/link/" in message.body]
    assert sent.to == [ben.user.email]
    (path,) = re.findall(r"http://localhost:8000(/enrol/link/\S+)", sent.body)
    assert Client().get(path).headers["Location"] == "/enrol/start/"


def test_who_holds_one_is_sent_no_link_to_enrol_another(ben, mailed):
    """F-9: a mailbox that somebody else reads must not become a second factor."""
    assert not [message for message in mailed(lambda: set_by_link(ben)) if "/enrol/link/" in message.body]


def test_three_links_to_enrol_are_enough_for_an_hour(ben, mailed):
    """Whoever knows the password alone must not fill the mailbox with it."""
    Authenticator.objects.filter(user=ben.user).delete()
    assert [len(mailed(lambda: password_change.offer_enrolment(ben.user))) for _ in range(4)] == [1, 1, 1, 0]
