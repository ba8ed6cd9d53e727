"""What people ask the simulator: who, how much of what, where to, and by which rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, cast

from django import forms
from django.core.exceptions import ValidationError
from django.forms.widgets import Widget

from policies.measures import Foreseen, Named
from policies.rules import WITHDRAW, Bot, Facts, Initiator, lost_right
from policies.rules.language import MEMBER, SERVICE_USER, initiator_id
from policies.rules.what_if import possible_initiators
from policies.workflows import Workflow
from portal.core import money
from portal.core.errors import Invalid
from portal.core.forms import Form, PlainTextField

WITHDRAWAL: Final = Workflow.INITIATE_WITHDRAWAL
AMOUNT_LENGTH: Final = 39
NAME_LENGTH: Final = 64
IN_FORCE, DRAFT = "in_force", "draft"
# So many names are offered while somebody types; any other can be typed too.
OFFERED: Final = 200
# As many as whoever keeps addresses tells of.
MOST_TOLD: Final = 1000


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen: `destinations` are those that the reader may know of, `has_more` that not all are told."""

    facts: Facts
    assets: Sequence[Named]
    destinations: Sequence[Named]
    has_draft: bool
    has_more: bool = False


class PlainAmount(forms.CharField):
    """An amount as people type it (security IN-2): digits and at most one point. Too long a one is refused, not cut."""

    def __init__(self, **kwargs: Any) -> None:
        attributes = {"class": "input input--mono", "inputmode": "decimal", "autocomplete": "off"}
        super().__init__(max_length=AMOUNT_LENGTH, widget=forms.TextInput(attrs=attributes), **kwargs)

    def widget_attrs(self, widget: Widget) -> dict[str, Any]:
        """Without the length at which a browser would cut."""
        return {name: value for name, value in super().widget_attrs(widget).items() if name != "maxlength"}

    def clean(self, value: Any) -> Decimal:  # noqa: ANN401 - Django's own signature
        """The amount. Raises: ValidationError for what is none."""
        try:
            return money.parse_plain(super().clean(value))
        except Invalid as error:
            raise ValidationError(error.message) from error


class SimulatorForm(Form):
    """A withdrawal that nobody has asked for. Its address can be shared: nothing of it is written."""

    who = forms.ChoiceField(label="Asked by", error_messages={"required": "Choose who asks."})
    account = forms.ChoiceField(label="From")
    asset = forms.ChoiceField(label="Asset", error_messages={"required": "Choose what leaves."})
    amount = PlainAmount(label="Amount", help_text="What leaves the Account, network fee included.")
    to = PlainTextField(
        label="To the address called",
        max_length=NAME_LENGTH,
        required=False,
        help_text="Its name in the book of the Account. Empty: an address that is not in the book yet.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "list": "known-addresses"}),
    )
    rules = forms.ChoiceField(label="Rules (in force, or your draft)", required=False)

    def __init__(self, *args: Any, choices: Choices, **kwargs: Any) -> None:
        self.known = choices
        self.askers = {each.value: each for each in askers(choices.facts)}
        super().__init__(*args, **kwargs)
        self._offer("who", [("", "Choose"), *((value, each.label) for value, each in self.askers.items())])
        self._offer("account", [(str(pk), name) for pk, name in choices.facts.accounts.items()])
        self._offer("asset", [("", "Choose"), *((each.value, each.label) for each in choices.assets)])
        self._offer("rules", [(IN_FORCE, "The policy in force"), (DRAFT, "My draft")])
        if not choices.has_draft:
            del self.fields["rules"]

    @property
    def offered(self) -> tuple[str, ...]:
        """Names of addresses that the browser proposes."""
        return tuple(sorted({each.label for each in self.known.destinations}, key=str.lower)[:OFFERED])

    @property
    def by_draft(self) -> bool:
        """Whether the reader's draft is to answer."""
        return self.cleaned_data.get("rules") == DRAFT

    @property
    def initiator(self) -> Initiator:
        """Who asks, as the rules see them."""
        return self.askers[self.cleaned_data["who"]].initiator

    def clean(self) -> dict[str, Any]:
        """Find the address in the book, and refuse who may not ask there."""
        values = super().clean() or {}
        if "account" in values:
            self._find(int(values["account"]), values.get("to", ""))
            if "who" in values:
                lack = lost_right(self.initiator, WITHDRAWAL, int(values["account"]), WITHDRAW)
                if lack:
                    self.add_error("who", lack)
        return values

    def foreseen(self) -> Foreseen:
        """What is asked about."""
        values = self.cleaned_data
        return Foreseen(
            account_id=int(values["account"]),
            asset=values["asset"],
            amount=values["amount"],
            destination=self.destination,
            initiator=values["who"],
        )

    def _find(self, account_id: int, name: str) -> None:
        self.destination = ""
        if not name or "to" in self.errors:
            return
        alike = (each for each in self.known.destinations if each.label.lower() == name.lower())
        found = next((each for each in alike if each.account_id == account_id), None)
        if found is None:
            more = f" Only the first {MOST_TOLD:,} can be named here." if self.known.has_more else ""
            self.add_error("to", f"{self.known.facts.accounts[account_id]} has no address of that name.{more}")
        else:
            self.destination = found.value

    def _offer(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        field = cast("forms.ChoiceField", self.fields[name])
        field.choices = choices


@dataclass(frozen=True, slots=True)
class Asker:
    """Who may ask for withdrawals of some Account, by their value in lists."""

    value: str
    label: str
    initiator: Initiator


def askers(facts: Facts) -> tuple[Asker, ...]:
    """All of them, Service Users first: they are whom people ask about."""
    found: dict[str, Asker] = {}
    for account_id in facts.accounts:
        for initiator in possible_initiators(facts, WITHDRAWAL, account_id):
            asker = _asker(initiator)
            found.setdefault(asker.value, asker)
    return tuple(sorted(found.values(), key=lambda each: (not isinstance(each.initiator, Bot), each.label.lower())))


def _asker(initiator: Initiator) -> Asker:
    if isinstance(initiator, Bot):
        value = initiator_id(SERVICE_USER, initiator.service_user_id)
        return Asker(value, f"{initiator.name} (service user)", initiator)
    return Asker(initiator_id(MEMBER, initiator.member_id), initiator.name, initiator)
