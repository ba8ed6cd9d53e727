"""What people type about policies, with what it would change, and the word of who asks for less than is wise."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms import BoundField
from django.http import QueryDict

from policies.forms.agreeing import Agreeing
from policies.forms.requests import NoteField
from policies.models import Policy
from policies.models.policy import DEFAULT_OPEN_HOURS, MAX_APPROVALS, MAX_OPEN_HOURS, MIN_OPEN_HOURS
from policies.operations import ConfigurePolicy, LockPolicy, RemovePolicy, UnlockPolicy, by_rules, pinned
from policies.rules import Facts, Terms
from policies.rules.language import Rule, plain_rule
from policies.snapshot.stored_rules import read_rules
from policies.stage_guide import Effect, effect
from policies.workflows import Workflow
from portal.core.errors import Refused
from portal.core.forms import StepUpForm, dress
from portal.core.web.http import StepUp

PREVIEW = "look"
# Rows for groups, where none are asked for yet.
ROWS: Final = 2
ACKNOWLEDGE = "Look at what follows from this, and say that you know."


def single_rule(policy: Policy | None) -> Rule | None:
    """The one rule without a condition that a policy is, if that is all it says; None without a policy."""
    if policy is None:
        return None
    if not policy.rules:
        return plain_rule(policy.approvals, always=policy.always)
    rules = read_rules(policy.rules) or ()
    whole = len(rules) == 1 and rules[0].is_plain and policy.workflow != Workflow.INITIATE_WITHDRAWAL
    return rules[0] if whole else None


class PolicyForm(StepUpForm):
    """A change of one policy. `effect` is what it would change, once that is known; where the policy would then be
    weaker than it says, or nobody could be spared, whoever asks has to say that they know.
    """

    note = NoteField(label="Note", help_text="Shown to who decides, if anybody has to.")
    acknowledged = forms.BooleanField(label="I know this, and want it all the same", required=False)

    def __init__(self, *args: Any, step_up: StepUp, workflow: Workflow, facts: Facts, **kwargs: Any) -> None:
        self.workflow, self.facts = workflow, facts
        self.effect: Effect | None = None
        super().__init__(*args, step_up=step_up, **kwargs)
        if not self.is_bound:
            self.look()

    @property
    def is_preview(self) -> bool:
        """Whether only a look at what would follow was asked for."""
        return PREVIEW in self.data

    @property
    def shows_preview(self) -> bool:
        """Whether all is well and nothing was asked, as it was wanted."""
        return self.has_error(NON_FIELD_ERRORS, PREVIEW)

    def terms(self) -> Terms | None:
        """The policy as it would be."""
        raise NotImplementedError

    @property
    def needs_acknowledgement(self) -> bool:
        """Whether whoever asks has to say that they know."""
        return self.effect is not None and self.effect.needs_acknowledgement

    def look(self) -> None:
        """Find out what would follow; a policy that cannot be read leaves that open."""
        try:
            self.effect = effect(self.facts, self.workflow, self.terms())
        except Refused:
            self.effect = None

    def clean(self) -> dict[str, Any]:
        """Look at what would follow; refuse what needs a word and has none, and what was only to be looked at."""
        values = super().clean() or {}
        if not self.errors:
            self.look()
            if self.is_preview:
                raise ValidationError("Nothing is asked yet. This is what would follow.", code=PREVIEW)
            if self.needs_acknowledgement and not values.get("acknowledged"):
                self.add_error("acknowledged", ACKNOWLEDGE)
        return values


class ConfigureForm(PolicyForm):
    """What one workflow asks for."""

    approvals = forms.IntegerField(
        label="Approvals",
        min_value=1,
        max_value=MAX_APPROVALS,
        help_text=f"How many people have to agree, 1 to {MAX_APPROVALS}. Nobody agrees to what they ask themselves.",
    )
    always = forms.BooleanField(
        label="Always require approval",
        required=False,
        help_text="Also of members with Execute. Without it, they finish alone.",
    )
    open_hours = forms.IntegerField(
        label="Stays open, in hours",
        min_value=MIN_OPEN_HOURS,
        max_value=MAX_OPEN_HOURS,
        help_text=f"{MIN_OPEN_HOURS} to {MAX_OPEN_HOURS}. A request that nobody finished by then expires.",
    )

    def __init__(
        self, *args: Any, policy: Policy | None, plan: QueryDict, workflow: Workflow, facts: Facts, **kwargs: Any
    ) -> None:
        self.policy = policy
        planned = PlanForm(plan, policy=policy)
        began_as = single_rule(policy) or Rule()
        self.agreeing = Agreeing(facts, began_as, of_all=False)
        self.groups = began_as.groups
        # Where rules have no conditions, one of them is all that a policy needs, and groups stand here.
        takes_groups = workflow is not Workflow.INITIATE_WITHDRAWAL and bool(facts.groups)
        self.rows = max(len(self.groups) + 1, ROWS) if takes_groups else 0
        initial = {
            "approvals": planned.planned,
            "always": "always" in plan or bool(policy and policy.always),
            "open_hours": policy.open_hours if policy else DEFAULT_OPEN_HOURS,
            **dict(self.agreeing.initial()),
        }
        super().__init__(*args, initial=initial, workflow=workflow, facts=facts, **kwargs)
        for place in range(self.rows):
            self.fields.update({name: dress(field) for name, field in self.agreeing.fields(place).items()})

    def of_whom(self) -> Iterator[tuple[BoundField, BoundField]]:
        """The rows of groups of which some of the approvals have to be."""
        for place in range(self.rows):
            yield self[f"of{place}_count"], self[f"of{place}_group"]

    def clean(self) -> dict[str, Any]:
        """Read the groups first: what would follow depends on them."""
        _, self.groups = self.agreeing.read(self, self.rows)
        return super().clean()

    def terms(self) -> Terms:
        """The policy as it would be, or, before anything is typed, as it stands."""
        values = self.cleaned_data if self.is_bound else self.initial
        return self._asked(values).terms(is_locked=bool(self.policy and self.policy.is_locked))

    def params(self) -> ConfigurePolicy:
        """What is asked for: so many approvals, from whom, open how long."""
        return self._asked(self.cleaned_data)

    def _asked(self, values: Mapping[str, Any]) -> ConfigurePolicy:
        rule = Rule(approvals=values["approvals"], groups=self.groups, always=values["always"])
        return by_rules(self.workflow, (rule,), values["open_hours"])


class LockForm(PolicyForm):
    """Asking that a policy is locked, as it was shown, or that it is unlocked.

    Who locks although some have not answered a rehearsal, the `unanswered` by name, has to say that they know.
    """

    def __init__(self, *args: Any, policy: Policy, unanswered: tuple[str, ...] = (), **kwargs: Any) -> None:
        self.policy, self.unanswered = policy, unanswered
        super().__init__(*args, workflow=Workflow(policy.workflow), **kwargs)

    def terms(self) -> Terms:
        """The same policy with its lock turned."""
        policy, rules = self.policy, read_rules(self.policy.rules)
        return Terms(self.workflow, policy.approvals, policy.always, policy.open_hours, not policy.is_locked, rules)

    @property
    def needs_acknowledgement(self) -> bool:
        """Whether whoever asks has to say that they know; not of what would be refused."""
        is_hindered = self.effect is not None and bool(self.effect.hindrances)
        return super().needs_acknowledgement or (bool(self.unanswered) and not is_hindered)

    def lock_params(self) -> LockPolicy:
        """What is asked for: a lock on the policy as it was shown."""
        return pinned(self.policy)

    def unlock_params(self) -> UnlockPolicy:
        """What is asked for: that the lock comes off."""
        return UnlockPolicy(self.workflow)


class RemoveForm(PolicyForm):
    """Asking that a workflow asks for nothing any more."""

    def terms(self) -> None:
        """None: no policy is left."""
        return

    def params(self) -> RemovePolicy:
        """What is asked for: that the workflow has no policy any more."""
        return RemovePolicy(workflow=self.workflow)


class PlanForm(forms.Form):
    """How many approvals a roll-out leads to; what is no number leads to what stands, or to one."""

    approvals = forms.IntegerField(
        label="Approvals to reach",
        min_value=1,
        max_value=MAX_APPROVALS,
        widget=forms.NumberInput(attrs={"class": "input"}),
    )

    def __init__(self, data: QueryDict | None, *, policy: Policy | None) -> None:
        self.stands = policy.approvals if policy else 1
        super().__init__(data, initial={"approvals": self.stands})

    @property
    def planned(self) -> int:
        """How many approvals the roll-out aims at."""
        if self.is_bound and self.is_valid():
            found: int = self.cleaned_data["approvals"]
            return found
        return self.stands
