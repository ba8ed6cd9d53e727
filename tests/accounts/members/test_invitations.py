"""Invitations: asked for, agreed to, sent, sent again, taken back, and accepted."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import grants
from accounts.emergency_stop.keep_out import KeepOut, keep_out
from accounts.emergency_stop.suspensions import suspend_member
from accounts.factors import totp
from accounts.members import invitations
from accounts.members.change_rights import ChangeRights, change_rights
from accounts.members.end_membership import RemoveMember, remove_member
from accounts.members.invite_member import InviteMember, invite_member
from accounts.members.presets import PRESETS
from accounts.models import Authenticator, Invitation, Member, User
from accounts.models.member import Identity
from policies.access import allows, granted
from policies.changes import propose
from policies.models import ChangeRequest, Grant, State
from policies.workflows import Right, Workflow
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, Invalid, NotFound, Refused
from tests.accounts.security.test_cooldown_after_code import enrol_app
from tests.policies.conftest import yes

pytestmark = pytest.mark.django_db
NEW = "three lanterns under the bridge"
NORA = "nora@new.test"
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
RIGHTS = (("manage_access", "view", None), ("initiate_withdrawal", "initiate", None))
ACCEPT = "/invitations/accept/"
FORM = {"name": "Nora Falk", "email": NORA, "rights": ["manage_access:view", "initiate_withdrawal:initiate"]}


def invited(owner, email=NORA, rights=RIGHTS, name="Nora Falk"):
    return propose(invite_member, actor=owner, params=InviteMember(email=email, name=name, rights=rights))


def link_of(sent):
    (path,) = re.findall(r"http://localhost:8000(/invitations/\S+)", sent.body)
    return path


@pytest.fixture
def mailed(mailed):
    """Without the mail to all who look at Manage Access that somebody was invited by one alone."""
    return lambda act: [message for message in mailed(act) if "did this alone" not in message.subject]


@pytest.fixture
def link(owner, mailed):
    """The path in the mail to Nora."""
    (sent,) = mailed(lambda: invited(owner))
    assert sent.to == [NORA]
    return link_of(sent)


def accepted(client, link, **fields):
    client.get(link)
    return client.post(ACCEPT, {"name": "Nora Falk", "password": NEW, "again": NEW, **fields})


# --- Asking ----------------------------------------------------------------------------------------------------------


def test_an_invitation_waits_for_a_second_member(client, ana, ben, sign_in, mailed):
    sign_in(client, ana)
    asked = mailed(lambda: client.post(reverse("accounts:invite"), FORM))
    assert asked
    assert all(mail.to != [NORA] for mail in asked), "only those who can decide hear of it yet"
    change = ChangeRequest.objects.get(operation="accounts.invite_member")
    assert change.state == State.PENDING
    assert not Invitation.objects.exists()
    page = reverse("policies:decide", args=[change.reference])
    other = Client()
    sign_in(other, ben)
    sent = mailed(lambda: other.post(page, {"decision": "approve", "digest": change.digest}))
    assert Invitation.objects.get().email == NORA
    assert sum(mail.to == [NORA] for mail in sent) == 1


def test_who_may_execute_sends_it_at_once(client, owner, sign_in, mailed):
    sign_in(client, owner)
    (sent,) = mailed(lambda: client.post(reverse("accounts:invite"), FORM))
    invitation = Invitation.objects.get()
    assert invitation.rights == [["manage_access", "view", None], ["initiate_withdrawal", "initiate", None]]
    assert "Olive Marsh invites you to Demo Treasury" in sent.subject
    assert AuditEvent.objects.get(kind="member.invited").data["rights"] == [
        "manage_access: view",
        "initiate_withdrawal: initiate",
    ]


def test_who_may_only_look_cannot_invite(client, audit, sign_in):
    sign_in(client, audit)
    assert client.get("/invitations/").status_code == 200
    assert client.get(reverse("accounts:invite")).status_code == 403
    assert client.post(reverse("accounts:invite"), FORM).status_code == 403


def test_a_preset_fills_in_the_form_and_no_more(client, owner, sign_in):
    """DESIGN M2: copied, never referenced."""
    sign_in(client, owner)
    for preset in PRESETS:
        text = client.get(reverse("accounts:invite") + f"?preset={preset.key}").content.decode()
        ticked = re.findall(r'value="([a-z_:]+)"\s+checked', text)
        assert ticked == sorted(ticked, key=ticked.index)
        assert len(ticked) == len(preset.rights)
    assert not re.findall(r"\schecked", client.get(reverse("accounts:invite") + "?preset=nonsense").content.decode())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "not an address"),
        ("email", "ana@demo.test"),
        ("name", ""),
        ("name", "Nora\u202eklaF"),
        ("name", "x" * 81),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(client, owner, sign_in, field, value):
    sign_in(client, owner)
    answer = client.post(reverse("accounts:invite"), {**FORM, field: value})
    assert answer.status_code == 200
    assert field in answer.context["form"].errors
    assert not Invitation.objects.exists()


def test_an_address_has_one_open_invitation(owner, link):
    with pytest.raises(Conflict, match="invited already"):
        invited(owner)


def test_one_that_nobody_answered_in_time_makes_room(owner, link):
    with time_machine.travel(timezone.now() + timedelta(days=8), tick=False):
        invited(owner)
    assert Invitation.objects.filter(revoked_at=None).count() == 1


def test_rights_on_somebody_elses_account_are_refused(owner, eve, world):
    """AZ-3: post another organization's pk."""
    foreign = world.elsewhere.accounts.get().pk
    with pytest.raises(Invalid):
        invited(owner, rights=(("initiate_withdrawal", "view", foreign),))
    with pytest.raises(Invalid):
        invited(owner, rights=(("manage_access", "view", world.account.pk),))
    with pytest.raises(Invalid):
        invited(owner, rights=(("manage_access", "own", None),))


def test_inviting_tells_nobody_who_is_known_elsewhere(owner, eve, mailed):
    """SI-4: same for invitation: whether the address has an account makes no difference to who invites."""
    (known,) = mailed(lambda: invited(owner, email=eve.user.email, name="Nora Falk"))
    (unknown,) = mailed(lambda: invited(owner))
    assert re.sub(r"invitations/\w+", "", known.body) == re.sub(r"invitations/\w+", "", unknown.body)


def test_the_request_says_what_it_gives(client, ana, ben, sign_in):
    sign_in(client, ana)
    client.post(reverse("accounts:invite"), FORM)
    change = ChangeRequest.objects.get(operation="accounts.invite_member")
    other = Client()
    sign_in(other, ben)
    text = other.get(reverse("policies:request", args=[change.reference])).content.decode()
    for words in ("Nora Falk", NORA, "Initiate Withdrawal", "identity is verified"):
        assert words in text


# --- The link --------------------------------------------------------------------------------------------------------


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
def test_eight_racing_acceptances_make_one_member(owner, race):
    """SI-11: one use, also under concurrency."""
    invited(owner)
    invitation = Invitation.objects.select_related("organization", "invited_by__user").get()
    answers = race(lambda number: invitations.accept(invitation, name=f"Nora {number}", password=NEW), 8)
    assert sum(isinstance(answer, Member) for answer in answers) == 1
    assert all(isinstance(answer, Member | NotFound) for answer in answers)
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


# --- Accepting -------------------------------------------------------------------------------------------------------


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


def test_an_invitation_altered_to_what_is_no_right_stops_nobody(client, ana, ben, sign_in):
    """R5: its page says that it was altered, and lists with it are shown."""
    change = invited(ana)
    altered = {**change.params, "rights": [["manage_access", "reign", None]]}
    ChangeRequest.objects.filter(pk=change.pk).update(params=altered)
    sign_in(client, ben)
    page = client.get(reverse("policies:request", kwargs={"reference": change.reference}))
    assert (page.status_code, "was altered" in page.content.decode()) == (200, True)
    assert client.get(reverse("policies:inbox")).status_code == 200


def test_an_invitation_whose_rights_were_altered_is_listed(client, owner, link, sign_in):
    """R5: what is no right gives nothing."""
    Invitation.objects.update(rights=[["manage_access", "reign", None], ["manage_access", "view", None]])
    sign_in(client, owner)
    assert "Manage Access: View" in client.get(reverse("accounts:invitations")).content.decode()
