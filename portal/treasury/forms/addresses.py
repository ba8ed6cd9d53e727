"""Adding, renaming and removing an address by page."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.forms.widgets import Widget

from accounts.models import Account
from policies.forms.requests import NoteField
from portal.core.display.descriptions import Notice
from portal.core.errors import Invalid, Unavailable
from portal.core.forms import Form, PlainTextField, StepUpForm
from portal.core.web.http import StepUp
from portal.treasury import destinations, mirrors, warnings
from portal.treasury.destinations import banks
from portal.treasury.models import Address
from portal.treasury.models.address import KEY_LENGTH
from portal.treasury.operations import AddAddress, RemoveAddress, RenameAddress
from portal.treasury.warnings import LookAlike
from portal.venues.registry import venue
from portal.venues.types import WithdrawalMethod

MONO: Final = {"class": "input input--mono", "autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
NOTE_HELP: Final = "Shown to who decides, if anybody has to."


class WholeTextField(PlainTextField):
    """Text that is refused when it is too long, and never cut to what fits: half an address is another address."""

    def widget_attrs(self, widget: Widget) -> dict[str, Any]:
        """Without `maxlength`: a browser would cut what was pasted."""
        return {name: value for name, value in super().widget_attrs(widget).items() if name != "maxlength"}


class KeyField(WholeTextField):
    """The name that bots and people use for an address."""

    def __init__(self, **kwargs: Any) -> None:
        letters = f"1 to {KEY_LENGTH} letters, digits, spaces, dots, dashes or underscores."
        help_text = f"{letters} Bots ask for the address by it."
        super().__init__(max_length=KEY_LENGTH, help_text=help_text, widget=forms.TextInput(attrs=MONO), **kwargs)

    def clean(self, value: Any) -> str:  # noqa: ANN401 - Django's own signature
        """The name, if it can be one; the operation asks by the same rule."""
        return _checked(destinations.check_key, super().clean(value))


class ChooseForm(Form):
    """From which Account, and by which way out; a GET form, so that its answer has an address of its own."""

    account = forms.ModelChoiceField(Account.objects.none(), label="Account", empty_label=None)
    way = forms.ChoiceField(label="Asset and network")

    def __init__(self, *args: Any, accounts: Sequence[Account], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: Any = self.fields["account"]
        choices.queryset = Account.objects.filter(pk__in=[account.pk for account in accounts]).order_by("pk")
        self.methods = {
            f"{method.asset.id}:{method.name}": method
            for name in {account.venue: None for account in accounts}
            for method in _ways_out(name)
        }
        ways: Any = self.fields["way"]
        ways.choices = [(key, f"{method.asset.code} · {method.name}") for key, method in self.methods.items()]

    @property
    def method(self) -> WithdrawalMethod:
        """The way out that was chosen."""
        return self.methods[self.cleaned_data["way"]]


class AddressForm(StepUpForm):
    """A new address. Which fields it has depends on the network.

    Where the book mirrors the exchange's own, it is taken as it is written there; `listing` is what is known of that.
    """

    key = KeyField(label="Name")
    note = NoteField(label="Note", help_text=NOTE_HELP)

    def __init__(self, *args: Any, step_up: StepUp, account: Account, method: WithdrawalMethod, **kwargs: Any) -> None:
        self.account, self.method = account, method
        self.network = destinations.network_of(method.network)
        self.listing = mirrors.listing_of(account)
        self.notices: tuple[Notice, ...] = ()
        super().__init__(*args, step_up=step_up, **kwargs)
        parts = self._destination_fields()
        self.parts = tuple(parts)
        self.fields.update(parts)
        if self.listing is not None:
            self.fields["key"].help_text = "Letter by letter as the exchange calls it. Bots ask for the address by it."
        if self.network.memo:
            self.fields["memo"] = _text(self.network.memo, 100, required=False)
        self.order_fields(["key", *self.parts, "memo", "note"])

    @property
    def shown_fields(self) -> list[forms.BoundField]:
        """All but those of the step-up, in the order of the page."""
        return [field for field in self.visible_fields() if field.name not in ("code", "note", "compared", "unlisted")]

    def clean(self) -> dict[str, Any]:
        """Put the parts together, and look for addresses that this one could be mistaken for."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if any(name not in cleaned for name in self.parts):
            return cleaned
        typed = "/".join(cleaned[name] for name in self.parts)
        try:
            cleaned["destination"] = self._as_kept(typed)
            destinations.check_memo(self.network.name, cleaned.get("memo", ""))
        except Invalid as error:
            self.refuse(error)
            return cleaned
        self._ask_to_compare(cleaned["destination"])
        self._ask_to_add_it_there(cleaned.get("key", ""))
        return cleaned

    def params(self) -> AddAddress:
        """What is asked for: where money may go from then on, and by which name."""
        cleaned = self.cleaned_data
        return AddAddress(
            account_id=self.account.pk,
            key=cleaned["key"],
            asset=self.method.asset.id,
            method=self.method.name,
            address=cleaned["destination"],
            memo=cleaned.get("memo", ""),
        )

    def _as_kept(self, typed: str) -> str:
        if self.listing is None:
            return destinations.canonical(self.network.name, typed)
        destinations.check_listed(self.network.name, typed)
        return typed

    def _ask_to_add_it_there(self, key: str) -> None:
        """The exchange knows no such name yet, as far as is known."""
        if self.listing is None or self.listing.called(key) or not key:
            return
        self.fields["unlisted"] = forms.BooleanField(
            required=False, label=f"The exchange does not list {key} yet. I have added it there, or am about to"
        )
        if self.data.get(self.add_prefix("unlisted")) != "on":
            self.add_error("unlisted", "Add it at the exchange first: until it is there, nothing can be sent to it.")

    def _ask_to_compare(self, address: str) -> None:
        self.notices = warnings.told(
            self.account.organization_id, LookAlike(self.account.organization_id, self.network.name, address)
        )
        if not self.notices:
            return
        self.fields["compared"] = forms.BooleanField(
            required=False, label="I have compared every letter, and mean this address"
        )
        if self.data.get(self.add_prefix("compared")) != "on":
            self.add_error("compared", "Compare the addresses, then tick this.")

    def _destination_fields(self) -> dict[str, forms.Field]:
        if self.listing is not None:
            help_text = f"As the exchange writes it. {self.network.hint}".strip()
            return {"address": _text("Address", destinations.LONGEST, help_text=help_text)}
        if self.network.name == "SEPA":
            return {"iban": _part("IBAN", 60, banks.check_sepa_iban), "holder": _holder()}
        if self.network.name == "SWIFT":
            return {
                "bic": _part("BIC", 20, banks.check_bic),
                "account_number": _part("Account number or IBAN", 60, banks.check_account),
                "holder": _holder(),
            }
        return {"address": _text("Address", destinations.LONGEST, help_text=self.network.hint)}


class RenameForm(StepUpForm):
    """Another name for an address."""

    key = KeyField(label="New name")
    note = NoteField(label="Note", help_text=NOTE_HELP)

    def __init__(self, *args: Any, step_up: StepUp, address: Address, **kwargs: Any) -> None:
        self.address = address
        super().__init__(*args, step_up=step_up, initial={"key": address.key}, **kwargs)

    def params(self) -> RenameAddress:
        """What is asked for: the name the page showed, and the new one."""
        address = self.address
        return RenameAddress(address.account_id, address.pk, address.key, self.cleaned_data["key"])


class RemoveForm(StepUpForm):
    """Out of the book."""

    note = NoteField(label="Note", help_text=NOTE_HELP)

    def __init__(self, *args: Any, step_up: StepUp, address: Address, **kwargs: Any) -> None:
        self.address = address
        super().__init__(*args, step_up=step_up, **kwargs)

    def params(self) -> RemoveAddress:
        """What is asked for: the address by the name that the page showed."""
        return RemoveAddress(self.address.account_id, self.address.pk, self.address.key)


class _PartField(WholeTextField):
    """One part of bank details, kept as it is written canonically."""

    def __init__(self, *, check: Callable[[str], str], **kwargs: Any) -> None:
        self.check = check
        super().__init__(**kwargs)

    def clean(self, value: Any) -> str:  # noqa: ANN401 - Django's own signature
        return _checked(self.check, super().clean(value))


def _ways_out(name: str) -> Sequence[WithdrawalMethod]:
    """Of a venue; none while it cannot say, so that the others can be chosen."""
    try:
        return venue(name).withdrawal_methods()
    except Unavailable:
        return ()


def _checked(check: Callable[[str], str | None], text: str) -> str:
    try:
        return check(text) or text
    except Invalid as error:
        raise ValidationError(error.message) from error


def _part(label: str, max_length: int, check: Callable[[str], str]) -> forms.Field:
    return _PartField(label=label, max_length=max_length, check=check, widget=forms.TextInput(attrs=MONO))


def _holder() -> forms.Field:
    help_text = "As the bank knows them. Approvers see it with the account."
    widget = forms.TextInput(attrs={"class": "input", "autocomplete": "off"})
    return _PartField(
        label="Account holder", max_length=200, check=banks.check_holder, help_text=help_text, widget=widget
    )


def _text(label: str, max_length: int, **kwargs: Any) -> forms.Field:
    return WholeTextField(label=label, max_length=max_length, widget=forms.TextInput(attrs=MONO), **kwargs)
