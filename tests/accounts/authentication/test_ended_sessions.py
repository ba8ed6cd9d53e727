"""A session that ends while somebody is filling in a form."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.backends.base import UpdateError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.authentication import email_links, session_store
from accounts.factors import webauthn
from accounts.models import Organization, Session
from accounts.models.invitation import LinkPurpose
from accounts.organizations.founding import add_member
from portal.jobs.periodic import all_tasks

pytestmark = pytest.mark.django_db


def test_what_was_posted_after_it_is_said_not_to_be_taken(client, treasury_bot):
    path = reverse("accounts:suspend", args=[treasury_bot.service_user.name])
    answer = client.post(path)
    assert answer.status_code == 302
    assert answer.headers["Location"] == reverse("accounts:sign_in")
    page = client.get(answer.headers["Location"]).content.decode()
    assert "Your session had ended." in page
    assert "What you sent was not taken." in page
    treasury_bot.service_user.refresh_from_db()
    assert treasury_bot.service_user.is_active


def test_a_page_that_was_only_opened_is_come_back_to(client, world):
    answer = client.get(reverse("accounts:members"))
    assert answer.headers["Location"] == f"{reverse('accounts:sign_in')}?next=/members/"


def test_it_is_come_back_to_the_page_that_the_form_was_on(client, treasury_bot):
    """fault pages-B8: after signing in again one landed in the inbox."""
    path = reverse("accounts:suspend", args=[treasury_bot.service_user.name])
    answer = client.post(path, headers={"Referer": "http://testserver/service-users/treasury-bot/?tab=1"})
    assert answer.headers["Location"] == f"{reverse('accounts:sign_in')}?next=/service-users/treasury-bot/%3Ftab%3D1"


@pytest.mark.parametrize(
    "forged", ["https://e.x/inbox/", "//e.x", "javascript:alert(1)", "http://testserver//e.x/", ""]
)
def test_a_forged_page_leads_nowhere(client, treasury_bot, forged):
    """WB-9: of `Referer` a path of ours is used, and nothing else."""
    path = reverse("accounts:suspend", args=[treasury_bot.service_user.name])
    answer = client.post(path, headers={"Referer": forged})
    assert answer.headers["Location"] == reverse("accounts:sign_in")


def test_what_strangers_are_told_fills_no_row(client, treasury_bot):
    """fault security-M6: every post to a members' page made a session for its message."""
    before = Session.objects.count()
    client.post(reverse("accounts:suspend", args=[treasury_bot.service_user.name]))
    client.post(reverse("accounts:sign_in_passkey"), {"assertion": "{}"})
    assert Session.objects.count() == before
    assert "Your session had ended." in client.get(reverse("accounts:sign_in")).content.decode()
    assert "Your session had ended." not in client.get(reverse("accounts:sign_in")).content.decode()


def test_a_hundred_challenges_for_strangers_fill_no_row(client):
    """fault security-M6: 450 rows a second, from one address, each kept for ever."""
    before = Session.objects.count()
    for _ in range(100):
        assert client.post(reverse("accounts:sign_in_passkey_options")).status_code == 200
    assert Session.objects.count() == before


def test_challenges_for_strangers_are_limited_by_source(monkeypatch):
    """fault security-M6."""
    monkeypatch.setattr(webauthn, "CHALLENGES_OF_SOURCE", 2)
    asked = [Client(REMOTE_ADDR="198.51.100.21").post(reverse("accounts:sign_in_passkey_options")) for _ in range(3)]
    assert [answer.status_code for answer in asked] == [200, 200, 429]
    assert Client(REMOTE_ADDR="198.51.100.22").post(reverse("accounts:sign_in_passkey_options")).status_code == 200


def test_expired_sessions_are_swept_in_batches(client, ana, sign_in):
    """fault security-M6: nothing ever removed one, of a stranger or of a member with their address and browser."""
    sign_in(client, ana)
    past, later = timezone.now() - timedelta(days=10), timezone.now() + timedelta(hours=1)
    Session.objects.bulk_create(Session(session_key=f"old{n}", session_data="", expire_date=past) for n in range(7))
    Session.objects.create(session_key="new", session_data="", expire_date=later)
    Session.objects.filter(user=ana.user).update(expire_date=past)
    assert session_store.sweep(batch=3, most=2) == 6
    assert session_store.sweep(batch=3, most=2) == 2
    assert session_store.sweep() == 0
    assert set(Session.objects.values_list("session_key", flat=True)) == {"new"}


def test_a_duty_sweeps_them():
    assert "accounts.tasks.sweep_sessions" in {task.name for task in all_tasks()}


def test_a_password_reset_does_not_say_that_a_session_had_ended(client, owner):
    """fault pages-B7: always, right below "Your password is set."."""
    made = email_links.issue(owner.user, LinkPurpose.RESET_PASSWORD)
    client.get(reverse("accounts:reset_link", kwargs={"token": made.text}))
    form = {"password": "another lighthouse above", "again": "another lighthouse above"}
    page = client.post(reverse("accounts:reset"), form, follow=True).content.decode()
    assert "Your password is set." in page
    assert "Your session had ended." not in page


def test_signing_out_says_so(client, ana, sign_in):
    """fault pages-C19."""
    sign_in(client, ana)
    assert "You are signed out." in client.post(reverse("accounts:sign_out"), follow=True).content.decode()


def test_a_session_that_ends_while_its_passkey_is_looked_at_is_no_error(client, ana, sign_in, monkeypatch):
    """fault security-L1: of two Approves at once one was an Internal Server Error."""
    sign_in(client, ana)
    client.raise_request_exception = False

    def ended(store, *args, **kwargs):
        raise UpdateError

    monkeypatch.setattr("accounts.views.members.profile.ProfileForm", ended)
    page = "http://testserver/profile/"
    answer = client.post(reverse("accounts:profile"), headers={"Referer": page})
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{reverse('accounts:sign_in')}?next=/profile/"
    # Whoever is signed in all the same, under the key that the first of both gave, is led on.
    monkeypatch.undo()
    assert client.get(answer.headers["Location"]).headers["Location"] == "/profile/"


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as moved:
        yield moved


def test_what_a_page_does_by_itself_keeps_no_session_alive(client, ana, sign_in, clock):
    """fault pages-A2: in its last second `left` said 0; the page asked for the sign-in, and that was activity."""
    sign_in(client, ana)
    idle = ana.organization.idle_minutes * 60
    clock.shift(idle - 0.5)
    seen = Session.objects.get(user=ana.user).seen_at
    assert client.get(reverse("accounts:session_left")).json() == {"left": 1}
    here = client.get(reverse("accounts:sign_in"), {"next": reverse("accounts:here")}, follow=True)
    assert "You are signed in as" in here.content.decode()
    assert Session.objects.get(user=ana.user).seen_at == seen
    clock.shift(1)
    assert client.get(reverse("accounts:session_left")).status_code == 302
    assert not Session.objects.filter(user=ana.user).exists()


def test_the_idle_limit_of_the_organization_that_is_switched_to_counts_before(client, ana, world, sign_in, clock):
    """fault security-L6: idle for longer than it allows, in another that allows more."""
    Organization.objects.filter(pk=ana.organization_id).update(idle_minutes=120)
    other = add_member(world.elsewhere, ana.user, rights=[])
    Organization.objects.filter(pk=other.organization_id).update(idle_minutes=30)
    sign_in(client, ana)
    clock.shift(timedelta(minutes=29))
    assert client.post(reverse("accounts:switch"), {"organization": world.elsewhere.pk}).url == "/inbox/"
    assert client.post(reverse("accounts:switch"), {"organization": ana.organization_id}).url == "/inbox/"
    clock.shift(timedelta(minutes=31))
    page = client.post(reverse("accounts:switch"), {"organization": world.elsewhere.pk}, follow=True)
    assert page.request["PATH_INFO"] == reverse("accounts:sign_in")
    assert "allows less time without activity" in page.content.decode()
    assert not Session.objects.filter(user=ana.user).exists()
