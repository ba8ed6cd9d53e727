"""What people type about requests and policies, as typed values."""

from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.html import format_html

from policies import notes, registry
from policies.batches import BATCH, Seen, binding
from policies.models import ChangeRequest, Policy
from policies.models.policy import DEFAULT_OPEN_HOURS, MAX_APPROVALS, MAX_OPEN_HOURS, MIN_OPEN_HOURS
from policies.operations import ConfigurePolicy, LockPolicy, RemovePolicy, UnlockPolicy
from policies.workflows import Workflow
from portal.core import markup
from portal.core.errors import Invalid
from portal.core.forms import Form, StepUpForm
from portal.core.http import MemberRequest

APPROVE: Final = "approve"
REJECT: Final = "reject"
CHANGED: Final = "This is not the request as it stands any more. Read it again before you decide."


class NoteField(forms.CharField):
    """A note or a reason: one line of text, checked by the one rule that all of them obey."""

    def __init__(self, *, label: str, **kwargs: Any) -> None:
        # Longer text is refused with its length, never cut to what fits.
        super().__init__(label=label, required=False, widget=forms.Textarea(attrs={"rows": 2}), **kwargs)

    def clean(self, value: object) -> str:
        text: str = super().clean(value)
        try:
            return notes.clean(text, field="")
        except Invalid as error:
            raise ValidationError(error.message) from error


class DecideForm(StepUpForm):
    """Yes or no to one request. For money the code serves this request and nothing else (SU-2)."""

    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)
    reason = NoteField(label="Reason (needed to reject)")

    def __init__(self, *args: Any, request: MemberRequest, change: ChangeRequest, **kwargs: Any) -> None:
        self.change = change
        bound = {"change": change.reference, "digest": change.digest} if registry.get(change.operation).money else {}
        super().__init__(*args, request=request, initial={"digest": change.digest}, **bound, **kwargs)
        self.order_fields(["code", "reason", "digest"])

    @property
    def is_approval(self) -> bool:
        return self.data.get("decision") == APPROVE

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        decision = self.data.get("decision")
        if decision not in (APPROVE, REJECT):
            raise ValidationError("Press Approve or Reject.")
        if values.get("digest") != self.change.digest:
            raise ValidationError(CHANGED)
        if decision == REJECT and not values.get("reason") and not self.has_error("reason"):
            self.add_error("reason", "Say why, so that whoever asked knows what to change.")
        return values


class BatchForm(StepUpForm):
    """Yes or no to exactly the requests on the page: the second factor serves for these and nothing else."""

    reason = NoteField(label="Reason")

    def __init__(
        self, *args: Any, request: MemberRequest, chosen: Sequence[Seen], approves: bool, **kwargs: Any
    ) -> None:
        self.approves = approves
        digest = binding(chosen, approved=approves)
        super().__init__(*args, request=request, change=BATCH, digest=digest, **kwargs)
        if not approves:
            self.fields["reason"].label = "Reason (needed, the same for all)"
        if "code" in self.fields:
            self.fields["code"].help_text = format_html("For these requests only. {}", markup.next_code(timezone.now()))
        self.order_fields(["assertion", "code", "reason"])

    def rebind(self, chosen: Sequence[Seen]) -> None:
        """Ask next for what the page shows now, which may be less than was posted."""
        self.bound_to = (BATCH, binding(chosen, approved=self.approves))

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not self.approves and not values.get("reason") and not self.has_error("reason"):
            self.add_error("reason", "Say why, so that those who asked know what to change.")
        return values


class AskAgainForm(StepUpForm):
    """Asking once more for what has ended."""

    note = NoteField(label="Note", help_text="Shown to who decides, if anybody has to.")

    def __init__(self, *args: Any, request: MemberRequest, change: ChangeRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, initial={"note": change.note}, **kwargs)


class CancelForm(Form):
    """Taking one's own request back."""

    reason = NoteField(label="Reason")


class ConfigureForm(StepUpForm):
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
    note = NoteField(label="Note", help_text="Shown to who decides, if anybody has to.")

    def __init__(
        self, *args: Any, request: MemberRequest, workflow: Workflow, policy: Policy | None, **kwargs: Any
    ) -> None:
        self.workflow = workflow
        initial = {
            "approvals": policy.approvals if policy else 1,
            "always": bool(policy and policy.always),
            "open_hours": policy.open_hours if policy else DEFAULT_OPEN_HOURS,
        }
        super().__init__(*args, request=request, initial=initial, **kwargs)

    def params(self) -> ConfigurePolicy:
        values = self.cleaned_data
        return ConfigurePolicy(
            workflow=self.workflow,
            approvals=values["approvals"],
            always=values["always"],
            open_hours=values["open_hours"],
        )


class LockForm(StepUpForm):
    """Asking that a policy is locked, as it was shown, or that it is unlocked."""

    note = NoteField(label="Note", help_text="Shown to who decides, if anybody has to.")

    def __init__(self, *args: Any, request: MemberRequest, policy: Policy, **kwargs: Any) -> None:
        self.policy = policy
        super().__init__(*args, request=request, **kwargs)

    def lock_params(self) -> LockPolicy:
        return LockPolicy(Workflow(self.policy.workflow), self.policy.approvals, self.policy.always)

    def unlock_params(self) -> UnlockPolicy:
        return UnlockPolicy(Workflow(self.policy.workflow))


class RemoveForm(StepUpForm):
    """Asking that a workflow asks for nothing any more."""

    note = NoteField(label="Note", help_text="Shown to who decides, if anybody has to.")

    def __init__(self, *args: Any, request: MemberRequest, workflow: Workflow, **kwargs: Any) -> None:
        self.workflow = workflow
        super().__init__(*args, request=request, **kwargs)

    def params(self) -> RemovePolicy:
        return RemovePolicy(workflow=self.workflow)
