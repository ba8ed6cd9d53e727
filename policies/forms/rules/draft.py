"""A draft as it is asked for: held against the policy in force before anything is asked."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from policies import drafts
from policies.forms.policies import PolicyForm
from policies.models import PolicyDraft
from policies.models.policy import MAX_OPEN_HOURS, MIN_OPEN_HOURS
from policies.operations import ConfigurePolicy, by_rules
from policies.rules import Terms
from policies.rules.language import Rule
from policies.snapshot.stored_rules import digest_of
from portal.core.forms import Form

CHANGED = "What is in force, or your draft, was changed since you opened this page. Look at both again."


class OpenHoursForm(Form):
    """How long a request stays open."""

    open_hours = forms.IntegerField(
        label="Stays open, in hours",
        min_value=MIN_OPEN_HOURS,
        max_value=MAX_OPEN_HOURS,
        help_text=f"{MIN_OPEN_HOURS} to {MAX_OPEN_HOURS}. A request that nobody finished by then expires.",
    )


class ReviewForm(PolicyForm):
    """Asking for the rules of a draft, exactly as they and what is in force were shown."""

    seen = forms.CharField(max_length=200, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, draft: PolicyDraft, rules: tuple[Rule, ...], stands: Terms | None, **kwargs: Any
    ) -> None:
        self.draft, self.rules, self.stands = draft, rules, stands
        self.now = f"{drafts.base_of(stands)} {digest_of(rules)} {draft.open_hours}"
        super().__init__(*args, initial={"seen": self.now}, **kwargs)

    def params(self) -> ConfigurePolicy:
        """What is asked for: these rules, open so long."""
        return by_rules(self.workflow, self.rules, self.draft.open_hours)

    def terms(self) -> Terms:
        """The policy as it would be; a lock stays."""
        return self.params().terms(is_locked=bool(self.stands and self.stands.is_locked))

    def clean(self) -> dict[str, Any]:
        """Refuse what is not what was looked at."""
        values = super().clean()
        if values.get("seen") != self.now:
            raise ValidationError(CHANGED)
        return values
