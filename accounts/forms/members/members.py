"""Forms about members: their rights, and who they are."""

from datetime import date
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from accounts import grants
from accounts.forms.members.rights import Line, RightsField, matrix, written
from accounts.members.change_rights import ChangeRights
from accounts.members.identity.provider import Document
from accounts.members.presets import PRESETS, Preset
from accounts.models import Member
from portal.core.forms import Form, PlainTextField, StepUpForm

DOCUMENTS: Final = (("passport", "Passport"), ("identity_card", "Identity card"), ("licence", "Driving licence"))
OLDEST: Final = date(1900, 1, 1)
REASON_LENGTH: Final = 500


class RightsForm(StepUpForm):
    """Exactly which rights a Member shall hold; it opens with those they hold, or with a preset's."""

    rights = RightsField()
    before = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, member: Member, chosen: Preset | None = None, **kwargs: Any) -> None:
        self.member, self.held = member, grants.of(member)
        opened = chosen.rights if chosen else self.held
        initial = {"rights": [written(given) for given in opened], "before": grants.fingerprint(self.held)}
        super().__init__(*args, initial=initial, **kwargs)
        rights = self.fields["rights"]
        if isinstance(rights, RightsField):
            rights.offer(member.organization)

    @property
    def held_boxes(self) -> frozenset[str]:
        """The boxes of what the Member holds already, whatever a preset has filled in."""
        return frozenset(written(given) for given in self.held)

    def lines(self) -> list[Line]:
        """The matrix of rights for the page."""
        return list(matrix(self["rights"]))

    def presets(self) -> tuple[Preset, ...]:
        """The sets of rights that buttons fill in."""
        return PRESETS

    def clean(self) -> dict[str, Any]:
        """Refuse a change of rights that changed while they were looked at, and one that changes nothing."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("before") != grants.fingerprint(self.held):
            raise ValidationError(
                f"The rights of {self.member.label} changed while you were looking. Look at them anew."
            )
        if "rights" in cleaned and grants.ordered(cleaned["rights"]) == self.held:
            raise ValidationError("Nothing would change.")
        return cleaned

    def params(self) -> ChangeRights:
        """What is asked for: the rights held when the page was shown, and those to hold afterwards."""
        after = grants.ordered(self.cleaned_data["rights"])
        return ChangeRights(member_id=self.member.pk, before=self.held, after=after)


class DocumentForm(Form):
    """What a person shows to be verified."""

    full_name = PlainTextField(label="Full name", max_length=120, help_text="As the document spells it.")
    born_on = forms.DateField(label="Born on", widget=forms.DateInput(attrs={"type": "date"}))
    country = PlainTextField(label="Country that issued the document", max_length=60)
    kind = forms.ChoiceField(label="Document", choices=DOCUMENTS)
    number = PlainTextField(
        label="Number",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "input input--mono"}),
    )
    expires_on = forms.DateField(label="Valid until", widget=forms.DateInput(attrs={"type": "date"}))

    def clean_born_on(self) -> date:
        """The date of birth, not before 1900."""
        born: date = self.cleaned_data["born_on"]
        if born < OLDEST:
            raise ValidationError("Look at the year.")
        return born

    def document(self) -> Document:
        """What was shown, as the provider of identities takes it."""
        return Document(**{name: self.cleaned_data[name] for name in Document.__dataclass_fields__})


class ReviewForm(StepUpForm):
    """What the reviewer says: verified, or not and why."""

    check = forms.CharField(max_length=40, widget=forms.HiddenInput)
    reason = PlainTextField(
        label="Reason",
        max_length=REASON_LENGTH,
        required=False,
        help_text="Needed to turn it down. The person reads it.",
    )
