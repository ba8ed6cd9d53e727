"""Asking for a withdrawal by page, in two steps: what, then whether it is meant."""

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.forms.widgets import Widget

from accounts.models import Account
from policies.forms.requests import NoteField
from portal.core import money
from portal.core.errors import DomainError, Invalid
from portal.core.forms import Form, StepUpForm
from portal.core.web.http import StepUp
from portal.treasury import destinations
from portal.treasury.forms.addresses import NOTE_HELP
from portal.treasury.forms.drafts import Draft, new_draft
from portal.treasury.models import Address
from portal.treasury.quotes import Preview, preview
from portal.venues.registry import venue

AMOUNT_LENGTH: Final = 39


class AmountField(forms.CharField):
    """An amount as people type it (security IN-2): digits and at most one point."""

    def __init__(self, **kwargs: Any) -> None:
        attributes = {"class": "input input--mono", "inputmode": "decimal", "autocomplete": "off"}
        super().__init__(max_length=AMOUNT_LENGTH, strip=False, widget=forms.TextInput(attrs=attributes), **kwargs)

    def widget_attrs(self, widget: Widget) -> dict[str, Any]:
        """Too long a number is refused, never cut to another one."""
        return {name: value for name, value in super().widget_attrs(widget).items() if name != "maxlength"}

    def clean(self, value: Any) -> str:  # noqa: ANN401 - Django's own signature
        """The amount in one spelling, as text: so it travels to the review."""
        text: str = super().clean(value)
        try:
            return money.plain(money.parse_plain(text))
        except Invalid as error:
            raise ValidationError(error.message) from error


class AddressChoice(forms.ModelChoiceField):  # type: ignore[type-arg] # generic for the checker only
    """The addresses of one Account, each with its asset and its ends."""

    codes: dict[str, str]

    def label_from_instance(self, obj: Address) -> str:
        """Name, asset and both ends of the address, so that nobody chooses by the name alone."""
        return f"{obj.key} · {self.codes.get(obj.asset, obj.asset)} · {destinations.short(obj.network, obj.address)}"


class WithdrawForm(Form):
    """What to send where. It never writes; what it finds is shown again to be confirmed."""

    address = AddressChoice(Address.objects.none(), label="To", empty_label="Choose an address")
    amount = AmountField(label="Amount", help_text="What leaves the Account, network fee included.")
    note = NoteField(label="Note", help_text=NOTE_HELP)

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        self.account = account
        self.preview: Preview | None = None
        super().__init__(*args, **kwargs)
        choices: Any = self.fields["address"]
        choices.queryset = Address.objects.filter(account=account, removed_at=None).order_by("key", "pk")
        choices.codes = {asset.id: asset.code for asset in venue(account.venue).assets()}

    def clean(self) -> dict[str, Any]:
        """Look at what it would cost and leave, and refuse what cannot be."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        address = cleaned.get("address")
        if address is not None:
            address.account = self.account
            try:
                self.preview = preview(address, money.parse_plain(cleaned["amount"]) if "amount" in cleaned else None)
            except DomainError as error:
                # What would be left and taken cannot be said now: the exchange does not answer, or knows no such way.
                self.refuse(error)
                return cleaned
            if self.preview.trouble is not None:
                self.refuse(self.preview.trouble)
        return cleaned

    def draft(self) -> Draft:
        """What was typed, with the fee it was told, for the review."""
        cleaned = self.cleaned_data
        return new_draft(
            account_id=self.account.pk,
            address_id=cleaned["address"].pk,
            amount=cleaned["amount"],
            note=cleaned["note"],
            fee=money.plain(self.preview.method.fee) if self.preview else "0",
        )


class ReviewForm(StepUpForm):
    """It is meant. What goes out at once takes a second factor for exactly this, every time (security SU-2)."""

    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, step_up: StepUp, draft: Draft, digest: str, at_once: bool, **kwargs: Any) -> None:
        bound = {"change": draft.name, "digest": digest} if at_once else {}
        self.shown = digest
        super().__init__(*args, step_up=step_up, initial={"digest": digest}, **bound, **kwargs)

    def clean(self) -> dict[str, Any]:
        """A code is not spent on something that has changed since it was shown."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("digest") != self.shown:
            raise ValidationError("The address or the fee has changed since you looked. Read it again.")
        return cleaned
