"""What people type to freeze something, to have a freeze last longer, and to have it lifted."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone

from policies.forms.requests import NoteField
from policies.freezes.freeze import MOST_HOURS, bar_to_freeze
from policies.freezes.governed import LONGEST
from policies.freezes.places import Place, open_to, with_destination
from policies.models.freeze import REASON_LENGTH
from portal.core.errors import NotFound
from portal.core.forms import PlainTextField, StepUpForm

if TYPE_CHECKING:
    from accounts.models import Member

NAME_LENGTH: Final = 64
LONGEST_HOURS: Final = LONGEST.days * 24


def value_of(place: Place) -> str:
    """By what a form and a link name a workflow, or an Account of it."""
    return place.workflow.value if place.account_id is None else f"{place.workflow.value}:{place.account_id}"


class FreezeForm(StepUpForm):
    """What is frozen, for how long and why; a link may have chosen already. `place` is it, once the form is right."""

    where = forms.ChoiceField(label="Freeze", error_messages={"required": "Choose what is frozen."})
    address = PlainTextField(
        label="Only the address called",
        max_length=NAME_LENGTH,
        required=False,
        help_text="For withdrawals from one Account. What the name leads to is frozen, whatever it is called and with "
        "whatever memo. Empty: all of the above.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    hours = forms.IntegerField(
        label="Hours",
        min_value=1,
        max_value=MOST_HOURS,
        help_text=f"1 to {MOST_HOURS}. It ends by itself then; to freeze for longer is a request.",
    )
    reason = PlainTextField(
        label="Why",
        max_length=REASON_LENGTH,
        help_text="Everybody concerned reads it: on every page, in their mail, and in the history.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Say why, so that whoever is told of it knows what to do."},
    )
    place: Place

    def __init__(self, *args: Any, member: "Member", chosen: QueryDict, **kwargs: Any) -> None:
        self.member = member
        self.places = {value_of(place): place for place in open_to(member)}
        initial = {
            "where": chosen.get("where", ""),
            "address": chosen.get("address", "")[:NAME_LENGTH],
            "hours": MOST_HOURS,
        }
        super().__init__(*args, initial=initial, **kwargs)
        field = cast("forms.ChoiceField", self.fields["where"])
        field.choices = [("", "Choose"), *((value, place.label) for value, place in self.places.items())]

    def clean(self) -> dict[str, Any]:
        """Find the address in the book, and say what the operation would refuse before a code is spent."""
        values = super().clean() or {}
        place, name = self.places.get(values.get("where", "")), values.get("address", "")
        if place is None or "address" in self.errors:
            return values
        try:
            self.place = with_destination(place, name) if name else place
        except NotFound as error:
            self.refuse(error)
            return values
        said = bar_to_freeze(self.place, self.member)
        if said:
            raise ValidationError(said)
        return values


class FreezeLongerForm(StepUpForm):
    """Until when a freeze is to last, in hours from now."""

    hours = forms.IntegerField(
        label="Hours from now",
        min_value=1,
        max_value=LONGEST_HOURS,
        help_text=f"1 to {LONGEST_HOURS}, which is {LONGEST.days} days; more than it has left.",
    )
    note = NoteField(label="Note", help_text="Shown to who decides, if anybody has to.")

    def until(self) -> datetime:
        """The moment, to the second."""
        return timezone.now().replace(microsecond=0) + timedelta(hours=self.cleaned_data["hours"])


class LiftFreezeForm(StepUpForm):
    """That a freeze ends now."""

    note = NoteField(label="Note", help_text="Shown to who decides, if anybody has to.")
