"""Connecting an Account and changing its credentials by page. What is secret is typed once and never given back."""

import re
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.views.decorators.debug import sensitive_variables

from accounts.models import Account
from accounts.organizations.settings import ACCOUNT_NAME_LENGTH
from policies.forms.requests import NoteField
from portal.core.forms import PlainTextField, StepUpForm
from portal.venues.kraken import exchanges
from portal.venues.kraken.connection.asking import NewConnection
from portal.venues.kraken.connection.trial import Typed
from portal.venues.kraken.models import LABEL_LENGTH, PUBLIC_LENGTH, Credential, Purpose, Tier

NOTE_HELP: Final = "Shown to who decides, if anybody has to. Never write a secret here."
SECRET_LENGTH: Final = 200
MONO: Final = {"class": "input input--mono", "autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
# A browser keeps it for no other page, and no server ever writes it into one.
SECRET: Final = {**MONO, "autocomplete": "new-password"}
PUBLIC: Final = re.compile(r"[A-Za-z0-9+/=_.-]+")
BOTH_HALVES: Final = "Give both halves of this key, or neither."


class PublicField(forms.CharField):
    """The half of a credential that is no secret."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs=MONO), **kwargs)

    def validate(self, value: str) -> None:
        """Raises: ValidationError also for what no exchange writes into one; too long is said, never cut."""
        super().validate(value)
        if value and (len(value) > PUBLIC_LENGTH or not PUBLIC.fullmatch(value)):
            raise ValidationError("This is no API key of the exchange. Copy it whole, without spaces.")


class SecretField(forms.CharField):
    """The other half. It is asked again whatever was wrong, since no page gives it back."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.PasswordInput(attrs=SECRET, render_value=False), **kwargs)

    @sensitive_variables("value")
    def validate(self, value: str) -> None:
        """Raises: ValidationError also where it is longer than any is; whether it is one, the trial says."""
        super().validate(value)
        if len(value) > SECRET_LENGTH:
            raise ValidationError("This is no private key of the exchange: it is too long.")


class ConnectForm(StepUpForm):
    """An Account that shall be one at an exchange; with `account` one that was disconnected."""

    exchange = forms.ChoiceField(label="Exchange")
    name = PlainTextField(
        label="Name of the Account",
        max_length=ACCOUNT_NAME_LENGTH,
        help_text="Shown on every withdrawal and every right that names it.",
    )
    tier = forms.ChoiceField(
        label="Calls that the exchange takes",
        choices=Tier.choices,
        help_text="The level of the account there. All bots of this Account share these calls.",
    )
    rest_public = PublicField(label="API key for the rest")
    rest_secret = SecretField(label="Private key for the rest")
    withdraw_public = PublicField(label="API key for withdrawals", required=False)
    withdraw_secret = SecretField(label="Private key for withdrawals", required=False)
    note = NoteField(label="Note", help_text=NOTE_HELP)

    def __init__(self, *args: Any, account: Account | None = None, exchange: str = "", **kwargs: Any) -> None:
        self.account, self.known_exchange = account, exchange
        super().__init__(*args, **{"initial": {"tier": Tier.INTERMEDIATE.value}, **kwargs})
        if account is not None:
            del self.fields["exchange"], self.fields["name"]
        else:
            choices: Any = self.fields["exchange"]
            choices.choices = [(each.name, each.name) for each in exchanges.exchanges()]

    @sensitive_variables("cleaned", "halves", "value")
    def clean(self) -> dict[str, Any]:
        """Half a key is none."""
        cleaned = super().clean() or self.cleaned_data
        halves = {name: cleaned.get(name) for name in ("withdraw_public", "withdraw_secret")}
        for name, value in halves.items():
            if not value and any(halves.values()) and name not in self.errors:
                self.add_error(name, BOTH_HALVES)
        return cleaned

    @sensitive_variables("cleaned", "credentials")
    def typed(self) -> NewConnection:
        """What was typed, to be tried and asked for."""
        cleaned = self.cleaned_data
        credentials = [
            Typed(purpose, purpose.label, cleaned[f"{purpose}_public"], cleaned[f"{purpose}_secret"], f"{purpose}_")
            for purpose in Purpose
            if cleaned[f"{purpose}_public"]
        ]
        return NewConnection(
            exchange=self.known_exchange or cleaned["exchange"],
            name=self.account.name if self.account else cleaned["name"],
            tier=Tier(cleaned["tier"]),
            credentials=credentials,
            account=self.account,
        )


class CredentialForm(StepUpForm):
    """One more credential; with `replaces` one in its place, for the same purpose and under the same name."""

    purpose = forms.ChoiceField(label="For", choices=Purpose.choices, widget=forms.RadioSelect)
    label = PlainTextField(
        label="Name", max_length=LABEL_LENGTH, required=False, help_text="By which people tell it from the others here."
    )
    public = PublicField(label="API key")
    secret = SecretField(label="Private key")
    note = NoteField(label="Note", help_text=NOTE_HELP)

    def __init__(self, *args: Any, replaces: Credential | None = None, **kwargs: Any) -> None:
        self.replaces = replaces
        super().__init__(*args, **{"initial": {"purpose": Purpose.REST.value}, **kwargs})
        if replaces is not None:
            del self.fields["purpose"], self.fields["label"]

    @sensitive_variables("cleaned")
    def typed(self) -> Typed:
        """What was typed, to be tried and asked for."""
        cleaned, old = self.cleaned_data, self.replaces
        purpose = Purpose(old.purpose if old else cleaned["purpose"])
        label = old.label if old else cleaned["label"] or purpose.label
        return Typed(purpose, label, cleaned["public"], cleaned["secret"])


class LessForm(StepUpForm):
    """A credential less, or the whole connection."""

    note = NoteField(label="Note", help_text=NOTE_HELP)
