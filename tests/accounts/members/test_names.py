"""Two people cannot carry names that look alike, and no name holds what nobody sees (security CR-15)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.authentication.email_links import new_token
from accounts.members import invitations, names, profile
from accounts.models import Invitation, Member
from accounts.organizations.settings import AddAccount, add_account
from policies.changes import propose
from policies.models import ChangeRequest
from portal.core.display.lookalikes import look
from portal.core.display.markup import is_unseen
from portal.core.errors import Invalid
from portal.core.forms import PlainTextField
from portal.treasury.withdrawals import request_withdrawal

OLIVE = "Olive Marsh"
ALIKE = (
    "olive marsh",
    "Olive  Marsh",
    "\u041elive Marsh",  # Cyrillic O
    "Oliv\u0435 M\u0430rsh",  # Cyrillic e and a
    "\u039flive Marsh",  # Greek Omicron
    "0live Marsh",
    "O1ive Marsh",
    "\uff2f\uff4c\uff49\uff56\uff45 Marsh",  # full width
    "Olive Marsh".replace("m", "rn").replace("M", "rn"),
)
UNSEEN = ("\u3164", "\u2800", "\u200a", "\u00a0", "\u200b", "\u202e", "\u115f", "\u034f", "\u3000", "\uffa0", "\t")


@pytest.mark.parametrize("name", ALIKE)
def test_what_looks_alike_is_alike(name):
    """fault security-M4: NFKC, capitals, spaces, and letters of other scripts that look like ours."""
    assert look(name) == look(OLIVE)


@pytest.mark.parametrize("name", ["Oliver Marsh", "Olive Marshall", "Olive March", "Ölive Marsh", "Юлия", "Σοφία"])
def test_what_a_reader_tells_apart_is_not(name):
    assert look(name) != look(OLIVE)


@pytest.mark.parametrize("letter", UNSEEN)
def test_what_nobody_sees_is_refused_wherever_plain_text_is_typed(letter):
    """fault security-M4: every PlainTextField, also with the blank letters that notes refuse."""
    assert is_unseen(letter)
    field = PlainTextField(max_length=40)
    for text in (f"a{letter}b", f"Olive Marsh{letter}", f"{letter}Olive"):
        if text.strip() == text:
            with pytest.raises(ValidationError):
                field.clean(text)
    assert field.clean("Olive Marsh") == OLIVE


def test_no_field_takes_a_name_of_nothing():
    """fault security-M4: a name of U+2800 alone."""
    for blank in ("\u2800", "\u3164", " ", "\u00a0\u00a0"):
        with pytest.raises(ValidationError):
            PlainTextField(max_length=40).clean(blank)
    assert isinstance(PlainTextField(max_length=4), forms.CharField)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ALIKE)
def test_nobody_calls_themselves_like_somebody_they_decide_with(ana, owner, name):
    """fault security-M4: asked by the operation, under the lock, so that no page and no race goes past it."""
    with pytest.raises(Invalid, match="looks like it"):
        profile.change(ana, name=name, time_zone="UTC")
    profile.change(owner, name="Olive  Marsh".replace("  ", " "), time_zone="Europe/Berlin")


@pytest.mark.django_db
def test_the_page_says_it_beside_the_name_and_loses_nothing(client, ana, owner, sign_in):
    sign_in(client, ana)
    fields = {"name": "\u041elive Marsh", "time_zone": "Europe/Berlin", "tell": "needed"}
    page = client.post("/profile/", fields).content.decode()
    assert "looks like it" in page
    assert '<option value="Europe/Berlin" selected>' in page


def invited(owner, email: str) -> Invitation:
    made = new_token()
    now = owner.joined_at
    return Invitation.objects.create(
        organization=owner.organization,
        email=email,
        name="Somebody",
        invited_by=owner,
        token_digest=made.digest,
        created_at=now,
        sent_at=now,
        expires_at=timezone.now() + timedelta(days=1),
    )


@pytest.mark.django_db
def test_an_invitation_is_not_accepted_under_such_a_name(owner, world, eve):
    """fault security-M4: neither by somebody new nor by a namesake who has signed in; nothing is used up."""
    found = invited(owner, "new@demo.test")
    for name in ("Olive Marsh", "Oliv\u0435 Marsh"):
        with pytest.raises(Invalid, match="looks like it"):
            invitations.accept(found, name=name, password="a long walk by the sea")
    found.refresh_from_db()
    assert found.is_open
    eve.user.name = "0live Marsh"
    eve.user.save(update_fields=["name"])
    theirs = invited(owner, eve.user.email)
    with pytest.raises(Invalid, match="looks like it"):
        invitations.accept(theirs, by=Member.objects.select_related("user", "organization").get(pk=eve.pk))
    assert invitations.accept(found, name="Nell  Novak", password="a long walk by the sea").label == "Nell Novak"


@pytest.mark.django_db
def test_an_account_is_not_called_like_another(owner):
    """fault security-M4: money leaves from what people read."""
    with pytest.raises(Invalid, match="one like it"):
        propose(add_account, actor=owner, params=AddAccount(name="M\u0430in"))


@pytest.mark.django_db
def test_the_request_page_and_the_mail_show_the_address_beside_the_name(client, ben, ana, account, sign_in, mailed):
    """fault security-M4: a name is what somebody calls themselves."""
    told = mailed(
        lambda: request_withdrawal(actor=ana, account=account, key="btc-cold", asset="BTC", amount=Decimal("0.1"))
    )
    assert any("Asked by: Ana Ruiz <ana@demo.test>" in message.body for message in told)
    sign_in(client, ben)
    change = ChangeRequest.objects.get(member=ana)
    page = client.get(f"/requests/{change.reference}/").content.decode()
    assert "ana@demo.test" in page


def test_one_line():
    assert names.one_line("  Nell   Novak ") == "Nell Novak"
