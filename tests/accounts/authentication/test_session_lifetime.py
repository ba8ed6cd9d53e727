"""How long a session lives, and for whom."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member, Session
from accounts.organizations.founding import add_member
from policies.workflows import Right, Workflow
from portal.audit.models import AuditEvent

pytestmark = pytest.mark.django_db
MEMBERS, COUNT = "/members/", "/inbox/count/"


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as frozen:
        yield frozen


def test_half_an_hour_without_doing_anything_ends_it(client, clock, owner, sign_in):
    """SI-7: kept server side, and the session is gone from the store."""
    sign_in(client, owner)
    clock.shift(timedelta(minutes=29))
    assert client.get(MEMBERS).status_code == 200
    clock.shift(timedelta(minutes=29))
    assert client.get(MEMBERS).status_code == 200
    clock.shift(timedelta(minutes=30))
    assert client.get(MEMBERS).url == "/sign-in/?next=/members/"
    assert not Session.objects.exists()


def test_twelve_hours_end_it_whatever_one_does(client, clock, owner, sign_in):
    """SI-7: absolute."""
    sign_in(client, owner)
    for _ in range(12 * 4 - 1):
        clock.shift(timedelta(minutes=15))
        assert client.get(MEMBERS).status_code == 200
    clock.shift(timedelta(minutes=15))
    assert client.get(MEMBERS).status_code == 302


def test_polling_is_not_activity(client, clock, owner, sign_in):
    """SI-7: poll every minute for 31 frozen minutes, be signed out."""
    sign_in(client, owner)
    answers = []
    for _ in range(31):
        clock.shift(timedelta(minutes=1))
        answers.append(client.get(COUNT, headers={"HX-Request": "true"}))
    assert [answer.status_code for answer in answers[:29]] == [200] * 29
    assert answers[-1].headers["HX-Redirect"] == "/sign-in/"
    assert client.get(MEMBERS).status_code == 302


def test_a_lost_session_takes_the_whole_page_to_the_sign_in(client, world):
    """WB-7: expired session, fragment call."""
    answer = client.get(MEMBERS, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["HX-Redirect"] == "/sign-in/"
    assert "HX-Request" in answer.headers["Vary"]


@pytest.mark.parametrize("field", ["suspended_at", "removed_at"])
def test_a_member_who_lost_their_place_is_out_at_once_and_stays_out(client, owner, ben, sign_in, field):
    """SI-8: re-enabling a member revives nothing."""
    sign_in(client, ben)
    Member.objects.filter(pk=ben.pk).update(**{field: timezone.now()})
    assert client.get(MEMBERS).status_code == 302
    Member.objects.filter(pk=ben.pk).update(**{field: None})
    assert client.get(MEMBERS).status_code == 302


def test_a_changed_password_ends_other_sessions(client, owner, sign_in):
    """SI-8: Django's digest of the password in the session."""
    sign_in(client, owner)
    owner.user.set_password("another long walk, inland")
    owner.user.save()
    assert client.get(MEMBERS).status_code == 302


def test_times_are_shown_in_the_readers_own_zone(client, owner, sign_in):
    owner.user.time_zone = "Asia/Kolkata"
    owner.user.save()
    sign_in(client, owner)
    text = client.get(reverse("accounts:new_service_user")).content.decode()
    assert "Asia/Kolkata" in text


def test_an_unknown_zone_is_utc(client, owner, sign_in):
    owner.user.time_zone = "../etc/passwd"
    owner.user.save()
    sign_in(client, owner)
    assert "UTC. Empty means never." in client.get(reverse("accounts:new_service_user")).content.decode()


def test_a_person_of_two_organizations_changes_between_them(client, world, owner, sign_in):
    """DESIGN M1: under a new session key, and only into memberships of their own."""
    there = add_member(world.elsewhere, owner.user, rights=[(Workflow.MANAGE_ACCESS, Right.VIEW)])
    sign_in(client, owner)
    before = client.cookies["session"].value
    assert "Ben Adeyemi" in client.get(MEMBERS).content.decode()
    client.post(reverse("accounts:switch"), {"organization": world.elsewhere.pk})
    text = client.get(MEMBERS).content.decode()
    assert "Eve Aldous" in text
    assert "Ben Adeyemi" not in text
    assert client.cookies["session"].value != before
    old = Client()
    old.cookies["session"] = before
    assert old.get(MEMBERS).status_code == 302
    assert AuditEvent.objects.get(organization=world.elsewhere, kind="sign_in.succeeded").actor_id == there.pk


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 30, "²"])
def test_nobody_changes_into_what_is_not_theirs(client, world, owner, sign_in, number):
    sign_in(client, owner)
    for wanted in (number, world.elsewhere.pk):
        assert client.post(reverse("accounts:switch"), {"organization": wanted}).status_code == 404
