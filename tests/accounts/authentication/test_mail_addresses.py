"""Mail addresses hold no letters that only look like others."""

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts.forms.authentication.passwords import ForgottenForm
from accounts.forms.authentication.sign_in import PasswordForm
from accounts.forms.members.invitations import InviteForm
from accounts.forms.organizations.setup import OrganizationForm
from portal.core.forms import MailField

LOOKALIKES = ["ana@demo.te\u017ft", "ana@\u212aey.test", "an\u0430@demo.test", "ana@d\u00e9mo.test"]


@pytest.mark.parametrize("form", [InviteForm, ForgottenForm, OrganizationForm, PasswordForm])
def test_every_form_takes_addresses_in_one_way(form):
    """fault security-L9: `ana@demo.te\u017ft` could be invited, and is demo.test to a mail server."""
    assert isinstance(form.base_fields["email"], MailField)


@pytest.mark.parametrize("address", LOOKALIKES)
def test_letters_beyond_ascii_are_refused_with_words(client, db, address):
    """fault security-L9."""
    page = client.post(reverse("accounts:forgotten"), {"email": address}).content.decode()
    assert "letters a to z only" in page


@pytest.mark.parametrize("address", LOOKALIKES)
def test_the_command_refuses_them_too(db, address):
    """fault security-L9."""
    given = {"name": "New", "currency": "USD", "owner_email": address, "owner_name": "Nora", "yes": True}
    with pytest.raises(CommandError, match="email address"):
        call_command("createorganization", **given)
