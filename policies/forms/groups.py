"""What people type about groups: what one is called, and who is in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from policies.forms.requests import NoteField
from policies.groups import Candidate
from policies.models import Group
from policies.models.group import NAME_LENGTH
from policies.operations import ChangeGroup, CreateGroup, RemoveGroup, Roster
from policies.operations.group_rosters import MAX_MEMBERS
from portal.core.forms import PlainTextField, StepUpForm
from portal.core.secrets.sealing import digest

GONE: Final = "Somebody you chose is no member any more. Look at the list again."


@dataclass(frozen=True, slots=True)
class Box:
    """One member in the form: `is_in` the group now, and as they are ticked."""

    candidate: Candidate
    is_in: bool
    is_checked: bool


class GroupForm(StepUpForm):
    """The name of a group and who is in it: of a new one, or of one as it is now."""

    name = PlainTextField(label="Name", max_length=NAME_LENGTH, help_text="As rules and requests will call it.")
    members = forms.MultipleChoiceField(
        label="Members",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose one member at least.", "invalid_choice": GONE},
    )
    note = NoteField(label="Note", help_text="Shown to who decides, if anybody has to.")
    seen = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, offered: Sequence[Candidate], roster: Roster | None = None, **kwargs: Any) -> None:
        self.offered, self.roster = offered, roster
        initial: dict[str, Any] = {}
        if roster is not None:
            initial = {"name": roster.name, "members": [str(pk) for pk in roster.members], "seen": seen_as(roster)}
        super().__init__(*args, initial=initial, **kwargs)
        choices = self.fields["members"]
        if isinstance(choices, forms.MultipleChoiceField):
            choices.choices = [(str(one.member_id), one.name) for one in offered]

    def boxes(self) -> list[Box]:
        """Everybody who can be chosen as they are ticked now, those first who are in the group."""
        ticked = {str(value) for value in self["members"].value() or ()}
        inside = frozenset(self.roster.members if self.roster else ())
        found = [Box(one, one.member_id in inside, str(one.member_id) in ticked) for one in self.offered]
        return sorted(found, key=lambda box: not box.is_in)

    def clean_members(self) -> tuple[int, ...]:
        """Their primary keys, sorted. Raises: ValidationError for too many."""
        found = tuple(sorted({int(value) for value in self.cleaned_data["members"]}))
        if len(found) > MAX_MEMBERS:
            raise ValidationError(f"A group has {MAX_MEMBERS} members at most; these are {len(found)}.")
        return found

    def clean(self) -> dict[str, Any]:
        """Refuse a change of what changed while it was looked at."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.roster is not None and cleaned.get("seen") != seen_as(self.roster):
            raise ValidationError(f"The group {self.roster.name} changed while you were looking. Look at it anew.")
        return cleaned

    def new(self) -> CreateGroup:
        """What is asked for: a group of this name with these in it."""
        return CreateGroup(self.cleaned_data["name"], self.cleaned_data["members"])

    def change(self, group: Group) -> ChangeGroup:
        """What is asked for: the group as it was shown, and as it shall be."""
        before = self.roster or Roster(group.name, ())
        return ChangeGroup(group.pk, before, Roster(self.cleaned_data["name"], self.cleaned_data["members"]))


class RemoveGroupForm(StepUpForm):
    """That there shall be no such group any more."""

    note = NoteField(label="Note", help_text="Shown to who decides, if anybody has to.")

    def params(self, group: Group, roster: Roster) -> RemoveGroup:
        """What is asked for: the group, as it was shown."""
        return RemoveGroup(group.pk, roster)


def seen_as(roster: Roster) -> str:
    """A short text that is the same for the same group, so that a form can say which one it was filled from."""
    return digest(repr((roster.name, roster.members)))
