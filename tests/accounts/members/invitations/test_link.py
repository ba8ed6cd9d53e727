"""The link of an invitation: sent, sent again, taken back, and good for one use."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import grants
from accounts.authentication import passwords
from accounts.emergency_stop.keep_out import KeepOut, keep_out
from accounts.emergency_stop.suspensions import suspend_member
from accounts.members import invitations
from accounts.members.change_rights import ChangeRights, change_rights
from accounts.members.end_membership import RemoveMember, remove_member
from accounts.models import Invitation, Member, User
from policies.changes import propose
from policies.models import ChangeRequest, Grant
from policies.workflows import Workflow
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, NotFound, Refused
from tests.accounts.members.invitations.conftest import ACCEPT, NEW, NORA, accepted, invited, link_of
from tests.policies.conftest import yes

pytestmark = pytest.mark.django_db


def test_only_a_digest_of_the_link_is_kept(owner, link):
    """SI-11: 128+ bits, digest stored."""
    token = link.split("/")[-2]
    assert len(token) * 5 >= 128
    assert token not in str(list(Invitation.objects.values()))
    assert token not in str(list(AuditEvent.objects.values()))


def test_the_token_leaves_the_address_before_the_form_shows(client, link):
    """SI-11: final URL has no token; no-referrer; looking uses nothing up."""
    answer = client.get(link)
    assert answer.url == ACCEPT
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    page = client.get(ACCEPT)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "Join Demo Treasury" in page.content.decode()
    assert link.split("/")[-2] not in page.content.decode()
    assert Client().get(link).status_code == 302


def test_a_link_works_once(client, link):
    """SI-11: one use, second use 404."""
    stale = Client()
    stale.get(link)
    assert accepted(client, link).status_code == 302
    over = Client().get(link)
    assert over.status_code == 404
    assert "Ask whoever invited you to send it again" in over.content.decode()
    assert stale.post(ACCEPT, {"name": "Mallory", "password": NEW, "again": NEW}).status_code == 404
    assert Member.objects.filter(user__email=NORA).count() == 1


def test_a_link_lives_seven_days(client, owner, mailed):
    """SI-11: 7 days (invite)."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        (sent,) = mailed(lambda: invited(owner))
        clock.shift(timedelta(days=7) - timedelta(seconds=1))
        assert client.get(link_of(sent)).status_code == 302
        clock.shift(1)
        page = client.get(ACCEPT)
        assert Client().get(link_of(sent)).status_code == 404
    assert page.status_code == 404
    assert "Ask whoever invited you to send it again" in page.content.decode()


def test_two_browsers_that_accept_at_once_make_one_member(owner, link):
    invitation = Invitation.objects.get()
    invitations.accept(invitation, name="Nora Falk", password=NEW)
    with pytest.raises(NotFound):
        invitations.accept(invitation, name="Mallory", password=NEW)


@pytest.mark.django_db(transaction=True)
def test_eight_racing_acceptances_make_one_member(owner, race, settings, monkeypatch):
    """SI-11: one use, also under concurrency."""
    # Room for the digests of all eight: whoever finds none is told to come back, and races with nobody.
    settings.THREADS = 16
    monkeypatch.setattr(passwords, "LONGEST_WAIT_SECONDS", 30.0)
    invited(owner)
    invitation = Invitation.objects.select_related("organization", "invited_by__user").get()
    answers = race(lambda number: invitations.accept(invitation, name=f"Nora {number}", password=NEW), 8)
    assert sum(isinstance(answer, Member) for answer in answers) == 1
    assert [answer for answer in answers if not isinstance(answer, Member | NotFound)] == []
    assert User.objects.filter(email=NORA).count() == 1


def test_sending_again_kills_the_old_link(client, ana, owner, link, sign_in, mailed):
    sign_in(client, owner)
    number = Invitation.objects.get().pk
    (sent,) = mailed(lambda: client.post(f"/invitations/{number}/send/"))
    assert Client().get(link).status_code == 404
    assert Client().get(link_of(sent)).status_code == 302
    assert AuditEvent.objects.filter(kind="invitation.sent_again").count() == 1


def test_what_expired_can_be_sent_again_for_a_month(owner, mailed):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        invited(owner)
        number = Invitation.objects.get().pk
        clock.shift(timedelta(days=20))
        (sent,) = mailed(lambda: invitations.send_again(actor=owner, number=number))
        assert Client().get(link_of(sent)).status_code == 302
        clock.shift(timedelta(days=11))
        with pytest.raises(Conflict, match="30 days"):
            invitations.send_again(actor=owner, number=number)


def test_taking_it_back_works_at_once(client, owner, link, sign_in):
    sign_in(client, owner)
    client.post(f"/invitations/{Invitation.objects.get().pk}/revoke/", {"reason": "The wrong address."})
    assert Client().get(link).status_code == 404
    assert AuditEvent.objects.filter(kind="invitation.revoked").count() == 1
    assert "Taken back" in client.get("/invitations/").content.decode()


def test_the_neighbour_can_do_nothing_with_it(client, eve, owner, link, sign_in):
    """AZ-2: eve × all routes with ids."""
    sign_in(client, eve)
    number = Invitation.objects.get().pk
    assert NORA not in client.get("/invitations/").content.decode()
    for what in ("send", "revoke"):
        client.post(f"/invitations/{number}/{what}/")
    assert client.post(f"/invitations/{number}/accept/").status_code == 404
    with pytest.raises(NotFound):
        invitations.revoke(actor=eve, number=number)
    assert Client().get(link).status_code == 302


def test_who_may_only_approve_takes_nothing_back(ben, link):
    with pytest.raises(Refused):
        invitations.revoke(actor=ben, number=Invitation.objects.get().pk)


def test_the_list_costs_the_same_for_one_and_for_twenty(client, owner, sign_in, django_assert_max_num_queries):
    sign_in(client, owner)
    invited(owner)
    with django_assert_max_num_queries(60) as one:
        client.get("/invitations/")
    for number in range(19):
        invited(owner, email=f"n{number}@new.test")
    with django_assert_max_num_queries(len(one)):
        client.get("/invitations/")


@pytest.mark.parametrize("way", ["suspended", "kept out", "removed", "stripped"])
def test_an_open_invitation_ends_with_its_inviter(owner, ana, ben, cleo, mailed, way):
    """fault security-L5: R5's spirit; the accomplice would come in after them."""
    inviter = Member.objects.get(pk=ana.pk)
    Invitation.objects.create(
        organization=ana.organization,
        email="friend@else.test",
        name="Friend",
        invited_by=inviter,
        token_digest="x" * 64,
        created_at=timezone.now(),
        sent_at=timezone.now(),
        expires_at=timezone.now() + timedelta(days=7),
    )
    if way == "suspended":
        suspend_member(actor=owner, member=ana, reason="It has to stop.")
    elif way == "kept out":
        propose(keep_out, actor=owner, params=KeepOut(ana.pk))
    elif way == "removed":
        propose(remove_member, actor=owner, params=RemoveMember(ana.pk, ()))
    else:
        held = grants.of(ana)
        less = tuple(one for one in held if one.workflow is not Workflow.MANAGE_ACCESS)
        propose(change_rights, actor=owner, params=ChangeRights(ana.pk, held, less))
    assert Invitation.objects.get(email="friend@else.test").revoked_at is not None
    assert "who invited them" in AuditEvent.objects.get(kind="invitation.revoked").data["reason"]


def test_what_others_agreed_to_one_alone_does_not_take_back(client, ana, ben, cleo, owner, sign_in):
    """fault rules-f: who asked for it does, and anybody else asks."""
    yes(invited(ana), ben)
    invitation = Invitation.objects.get()
    assert invitation.approvals == 1
    Grant.objects.create(member=cleo, workflow="manage_access", right="initiate")
    with pytest.raises(Refused, match="Others agreed"):
        invitations.revoke(actor=cleo, number=invitation.pk)
    sign_in(client, cleo)
    path = f"/invitations/{invitation.pk}/revoke/"
    assert "Others agreed to it" in client.get(path).content.decode()
    client.post(path, {"reason": "Nobody knows them."})
    change = ChangeRequest.objects.get(operation="accounts.take_back_invitation")
    assert Invitation.objects.open().exists()
    yes(change, ben)
    assert not Invitation.objects.open().exists()
    with pytest.raises(Conflict, match="taken back already"):
        invitations.revoke(actor=ana, number=invitation.pk)


def test_a_link_is_sent_again_with_a_second_factor_and_three_times_an_hour(client, owner, sign_in, mailed):
    """fault security-L7: 40 mails in a row to an outside address, by whoever held the cookie."""
    invitation = invitations.open_invitation(
        organization=owner.organization, email="again@demo.test", name="", rights=(), invited_by=owner
    )
    path = reverse("accounts:send_invitation_again", args=[invitation.pk])
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, owner)
        assert [len(mailed(lambda: client.post(path))) for _ in range(5)] == [1, 1, 1, 0, 0]
        assert "Three links went to again@demo.test within an hour." in client.get("/invitations/").content.decode()
        clock.shift(timedelta(minutes=10))
        answer = client.post(path)
        assert answer.headers["Location"].startswith(reverse("accounts:prove"))
