"""Whom a rehearsal asks, as people choose it."""

from dataclasses import dataclass
from typing import Any, Final, cast

from django import forms

from policies.forms.requests import NoteField
from policies.operations import Rehearse
from policies.rehearsals.asking import params_for, to_be_asked
from policies.rules import Facts, Person
from policies.workflows import Workflow
from portal.core.forms import StepUpForm
from portal.core.web.http import StepUp

EVERYBODY: Final = "everybody"


@dataclass(frozen=True, slots=True)
class Asked:
    """One choice: everybody, or a group; and who would be asked, by name."""

    value: str
    label: str
    names: tuple[str, ...]


class RehearseForm(StepUpForm):
    """Everybody who may approve on a workflow, or those of one group."""

    group = forms.ChoiceField(label="Who is asked")
    note = NoteField(label="Note", help_text="Shown to who answers.")

    def __init__(
        self, *args: Any, step_up: StepUp, workflow: Workflow, facts: Facts, asker: Person, **kwargs: Any
    ) -> None:
        self.workflow, self.facts, self.asker = workflow, facts, asker
        self.choices = self._choices()
        super().__init__(*args, step_up=step_up, **kwargs)
        cast("forms.ChoiceField", self.fields["group"]).choices = [(one.value, one.label) for one in self.choices]

    def params(self) -> Rehearse:
        """What is asked for, of those who may answer now."""
        chosen = self.cleaned_data["group"]
        return params_for(self.facts, self.workflow, None if chosen == EVERYBODY else int(chosen), self.asker)

    def _choices(self) -> tuple[Asked, ...]:
        groups: list[tuple[str, int | None, str]] = [(EVERYBODY, None, "Everybody who may approve")]
        by_name = sorted(self.facts.groups.items(), key=lambda group: (group[1].lower(), group[0]))
        groups += [(str(group), group, name) for group, name in by_name]
        return tuple(
            Asked(value, label, tuple(one.name for one in to_be_asked(self.facts, self.workflow, group, self.asker)))
            for value, group, label in groups
        )
