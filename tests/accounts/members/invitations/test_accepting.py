"""Accepting an invitation: who comes in by it, with what, and who does not."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.factors import totp
from accounts.members import invitations
from accounts.models import Authenticator, Invitation, Member, Organization, User
from accounts.models.member import Identity
from policies.access import allows, granted
from policies.workflows import Right, Workflow
from tests.accounts.members.invitations.conftest import ACCEPT, NEW, NORA, accepted, invited, link_of
from tests.accounts.security.test_cooldown_after_code import enrol_app

pytestmark = pytest.mark.django_db
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def test_from_the_link_to_the_first_page(client, owner, link):
    """The story of issue and of DESIGN M2: password, factor, recovery codes, and what they may do."""
    assert accepted(client, link).url == "/enrol/"
    assert client.get("/inbox/").status_code == 302
    member = Member.objects.get(user__email=NORA)
    assert granted(member) == {
        (Workflow.MANAGE_ACCESS, Right.VIEW, None),
        (Workflow.INITIATE_WITHDRAWAL, Right.INITIATE, None),
    }
    assert (member.identity, member.invited_by) == (Identity.UNVERIFIED, owner)
    client.get("/enrol/app/")
    totp.enrol(member.user, totp.offer(NORA))
    visitor = Client()
    visitor.post("/sign-in/", {"email": NORA, "password": NEW})
    visitor.post("/sign-in/code/", {"code": totp.current_code(member.user)})
    text = visitor.get("/welcome/").content.decode()
    for words in ("Welcome to Demo Treasury", "Olive Marsh invited you", "Initiate Withdrawal", "identity is verified"):
        assert words in text


def test_the_first_day_begins_without_an_alarm(client, link):
    """fault pages-B20: the factor that one was asked to set up is no stranger's, and no session was ended."""
    accepted(client, link)
    answer = enrol_app(client)
    assert answer.status_code == 302
    text = client.get(answer.url).content.decode() + client.get("/inbox/").content.decode()
    for alarming in ("other sessions were ended", "A second factor was added", "change your password"):
        assert alarming not in text


def test_until_verified_they_look_and_do_not_act(owner, link):
    """DESIGN M3."""
    member = invitations.accept(Invitation.objects.get(), name="Nora Falk", password=NEW)
    assert allows(member, Workflow.INITIATE_WITHDRAWAL, Right.VIEW)
    assert not allows(member, Workflow.INITIATE_WITHDRAWAL, Right.INITIATE)


@pytest.mark.parametrize("password", ["short", "password1234", "nora falk and friends", "demo treasury rules"])
def test_the_rules_of_passwords_hold_here(client, link, password):
    """SI-6: refused when on the common list, or holding the member's name or organization."""
    answer = accepted(client, link, password=password, again=password)
    assert answer.status_code == 200
    assert "password" in answer.context["form"].errors
    assert not User.objects.filter(email=NORA).exists()


def test_nobody_comes_in_under_a_name_that_looks_like_anothers(client, link):
    """Approvers go by names; it is said beside the field, and the link still works."""
    answer = accepted(client, link, name="ana RUIZ")
    assert "name" in answer.context["form"].errors
    assert not User.objects.filter(email=NORA).exists()
    assert accepted(client, link).url == "/enrol/"


def test_nor_does_who_is_known_elsewhere_by_such_a_name(client, owner, eve, mailed, sign_in):
    mailed(lambda: invited(owner, email=eve.user.email))
    User.objects.filter(pk=eve.user_id).update(name="Ana Ruiz")
    sign_in(client, eve)
    answer = client.post(f"/invitations/{Invitation.objects.get().pk}/accept/", follow=True)
    assert answer.redirect_chain[-1][0] == ACCEPT
    assert "Somebody you decide with goes by this name" in answer.content.decode()
    assert not Member.objects.filter(user=eve.user, organization=owner.organization).exists()
    assert Invitation.objects.open().exists()


def test_who_joins_where_sessions_end_sooner_signs_in_again(client, owner, eve, mailed, sign_in, code):
    """SI-7: the limits of each Organization hold there from the first page on."""
    mailed(lambda: invited(owner, email=eve.user.email))
    Organization.objects.filter(pk=owner.organization_id).update(idle_minutes=5)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, eve)
        clock.shift(timedelta(minutes=6))
        join = f"/invitations/{Invitation.objects.get().pk}/accept/"
        answer = client.post(join, {"code": code(eve)}, follow=True)
    assert answer.redirect_chain[-1][0].startswith("/sign-in/")
    text = answer.content.decode()
    assert "You are a member of Demo Treasury now." in text
    assert "Demo Treasury allows less time without activity." in text
    assert Member.objects.filter(user=eve.user, organization=owner.organization).exists()
    assert client.get("/inbox/").status_code == 302


def test_a_password_alone_is_no_session(client, link):
    """SI-1: whoever accepted is still nobody."""
    accepted(client, link)
    for path in ("/inbox/", "/profile/", "/welcome/", "/members/"):
        assert client.get(path).status_code == 302


def test_who_is_known_signs_in_to_accept(client, owner, eve, mailed, sign_in):
    """F-9: an invitation sets nobody's password and skips nobody's factor."""
    (sent,) = mailed(lambda: invited(owner, email=eve.user.email))
    before = User.objects.get(pk=eve.user_id).password
    client.get(link_of(sent))
    assert "Sign in to accept" in client.get(ACCEPT).content.decode()
    client.post(ACCEPT, {"name": "Mallory", "password": NEW, "again": NEW})
    assert User.objects.get(pk=eve.user_id).password == before
    assert not Member.objects.filter(organization=owner.organization, user=eve.user).exists()
    sign_in(client, eve)
    assert "Join Demo Treasury" in client.get(ACCEPT).content.decode()
    answer = client.post(f"/invitations/{Invitation.objects.get().pk}/accept/")
    assert answer.url == "/welcome/"
    assert "Welcome to Demo Treasury" in client.get("/welcome/").content.decode()
    assert Member.objects.filter(user=eve.user).count() == 2


def test_a_page_of_before_sends_nothing_to_the_organization_that_was_joined(owner, eve, mailed, sign_in):
    """M1: another tab still shows the first one; as with any change between them, its token is of before."""
    mailed(lambda: invited(owner, email=eve.user.email, rights=(("manage_access", "initiate", None),)))
    join = f"/invitations/{Invitation.objects.get().pk}/accept/"
    strict = Client()
    sign_in(strict, eve)
    strict.handler.enforce_csrf_checks = True
    (token, *_) = TOKEN.findall(strict.get("/invitations/new/").content.decode())
    assert strict.post(join, {"csrfmiddlewaretoken": token}).headers["Location"] == "/welcome/"
    Member.objects.filter(user=eve.user, organization=owner.organization).update(identity=Identity.VERIFIED)
    assert (
        strict.post("/invitations/new/", {"csrfmiddlewaretoken": token, "name": "N", "email": NORA}).status_code == 403
    )


def test_no_hour_old_session_joins_anything(client, owner, eve, mailed, sign_in, code):
    """Whoever holds a cookie alone must not become a member of more: it gives rights (SU-1)."""
    mailed(lambda: invited(owner, email=eve.user.email))
    join = f"/invitations/{Invitation.objects.get().pk}/accept/"
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, eve)
        clock.shift(timedelta(minutes=6))
        assert "Authentication code" in client.get(ACCEPT).content.decode()
        assert "Authentication code" in client.post(join).content.decode()
        assert not Member.objects.filter(organization=owner.organization, user=eve.user).exists()
        assert client.post(join, {"code": code(eve)}).url == "/welcome/"
    assert Member.objects.filter(organization=owner.organization, user=eve.user).exists()


def test_nobody_accepts_what_was_sent_to_another(client, ana, link, sign_in):
    sign_in(client, ana)
    assert "No invitation waits for you." in client.get(ACCEPT).content.decode()
    assert client.post(f"/invitations/{Invitation.objects.get().pk}/accept/").status_code == 404


def test_who_was_removed_comes_back_with_nothing_of_before(client, owner, ana, mailed, code):
    """SI-8, F-9: re-enabling revives nothing; their own factor is asked."""
    ana.removed_at = timezone.now()
    ana.save()
    (sent,) = mailed(lambda: invited(owner, email=ana.user.email, rights=()))
    assert accepted(client, link_of(sent)).url.startswith("/sign-in/code/")
    ana.refresh_from_db()
    assert (ana.removed_at, ana.identity, granted(ana)) == (None, Identity.UNVERIFIED, set())
    assert Authenticator.objects.filter(user=ana.user).count() == 1
    assert client.post("/sign-in/code/?next=/welcome/", {"code": code(ana)}).url == "/welcome/"
    assert "Nothing yet." in client.get("/welcome/").content.decode()
