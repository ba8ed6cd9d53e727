"""The set-up page: what there shall be, then the same to read once more with a password."""

from typing import Any

from django import forms

from accounts.forms.authentication.passwords import NewPassword, password_field
from accounts.models import User
from accounts.models.organization import Currency, SecondFactorLevel
from portal.core.forms import Form, MailField, PlainTextField

EXPLAINED = (
    (SecondFactorLevel.ANY.value, "Authenticator app or passkey"),
    (SecondFactorLevel.PASSKEY.value, "Passkey only: stronger, and everybody needs a device that can make one"),
)


class OrganizationForm(Form):
    """Step 1 of 2."""

    organization = PlainTextField(label="Name of the organization", max_length=80)
    currency = forms.ChoiceField(
        label="Currency",
        choices=[(currency.value, f"{currency.value}, {currency.label}") for currency in Currency],
        initial=Currency.USD.value,
        help_text="What your balances are worth is told in it.",
    )
    level = forms.ChoiceField(
        label="Second factor at sign-in",
        choices=EXPLAINED,
        initial=SecondFactorLevel.ANY.value,
        widget=forms.RadioSelect,
        help_text="Binds every member. It can be raised or lowered later.",
    )
    name = PlainTextField(
        label="Your name",
        max_length=80,
        help_text="You become the Owner: you hold every right, and are bound by policy like everyone.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = MailField(
        label="Email",
        help_text="You sign in with it, and notices are sent there.",
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )

    def clean_email(self) -> str:
        """The Owner's address as it is stored: in lower case."""
        return str(self.cleaned_data["email"]).strip().lower()


class ReviewForm(NewPassword, Form):
    """Step 2 of 2: the password is asked for last, so that it is kept nowhere on the way."""

    password = password_field("Password")
    again = password_field("Password again")

    def __init__(self, *args: Any, owner: User, organization: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.for_user(owner, organization)
