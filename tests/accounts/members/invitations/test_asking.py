"""Inviting: asked for, agreed to, and what others read of it."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.members.presets import PRESETS
from accounts.models import Invitation
from policies.models import ChangeRequest, State
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, Invalid
from tests.accounts.members.invitations.conftest import FORM, NORA, invited

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"email": "nora at home"}, "email"),
        ({"email": "Nora@new.test"}, "email"),
        ({"rights": (("manage_access", "view", None),) * 2}, "rights"),
    ],
)
def test_what_no_form_has_looked_at_is_refused_all_the_same(owner, wrong, field):
    """Whatever road it comes by, a page of another version among them."""
    with pytest.raises(Invalid) as refusal:
        invited(owner, **wrong)
    assert refusal.value.field == field
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
