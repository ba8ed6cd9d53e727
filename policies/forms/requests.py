"""What people type about requests and policies, as typed values."""

from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.html import format_html

from policies import notes, readability
from policies.inbox.batches import BATCH, Seen, binding
from policies.models import ChangeRequest
from portal.core.display import markup
from portal.core.errors import Invalid
from portal.core.forms import Form, StepUpForm
from portal.core.web.http import StepUp

APPROVE: Final = "approve"
REJECT: Final = "reject"
CHANGED: Final = "This is not the request as it stands any more. Read it again before you decide."


class NoteField(forms.CharField):
    """A note or a reason: one line of text, checked by the one rule that all of them obey."""

    def __init__(self, *, label: str, **kwargs: Any) -> None:
        # Longer text is refused with its length, never cut to what fits.
        super().__init__(label=label, required=False, widget=forms.Textarea(attrs={"rows": 2}), **kwargs)

    def clean(self, value: object) -> str:
        """The text by the rule of `policies.notes`, so that a form says what the operation would refuse."""
        text: str = super().clean(value)
        try:
            return notes.clean(text, field="")
        except Invalid as error:
            raise ValidationError(error.message) from error


class DecideForm(StepUpForm):
    """Yes or no to one request. For money the code serves this request and nothing else (SU-2)."""

    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)
    reason = NoteField(label="Reason (needed to reject)")

    def __init__(self, *args: Any, step_up: StepUp, change: ChangeRequest, **kwargs: Any) -> None:
        self.change = change
        bound = {"change": change.reference, "digest": change.digest} if readability.moves_money(change) else {}
        super().__init__(*args, step_up=step_up, initial={"digest": change.digest}, **bound, **kwargs)
        self.order_fields(["code", "reason", "digest"])

    @property
    def is_approval(self) -> bool:
        """Whether the button pressed was Approve; anything else is none."""
        return self.data.get("decision") == APPROVE

    def clean(self) -> dict[str, Any]:
        """Refuse a decision on something else than was shown, and a rejection without a reason."""
        values = super().clean() or {}
        decision = self.data.get("decision")
        if decision not in (APPROVE, REJECT) and not self.is_by_enter:
            raise ValidationError("Press Approve or Reject.")
        if values.get("digest") != self.change.digest:
            raise ValidationError(CHANGED)
        if decision == REJECT and not values.get("reason") and not self.has_error("reason"):
            self.add_error("reason", "Say why, so that whoever asked knows what to change.")
        return values


class BatchForm(StepUpForm):
    """Yes or no to exactly the requests on the page: the second factor serves for these and nothing else."""

    reason = NoteField(label="Reason")

    def __init__(self, *args: Any, step_up: StepUp, chosen: Sequence[Seen], approves: bool, **kwargs: Any) -> None:
        self.approves = approves
        digest = binding(chosen, approved=approves)
        super().__init__(*args, step_up=step_up, change=BATCH, digest=digest, **kwargs)
        if not approves:
            self.fields["reason"].label = "Reason (needed, the same for all)"
        if "code" in self.fields:
            self.fields["code"].help_text = format_html("For these requests only. {}", markup.next_code(timezone.now()))
        self.order_fields(["assertion", "code", "reason"])

    def rebind(self, chosen: Sequence[Seen]) -> None:
        """Ask next for what the page shows now, which may be less than was posted."""
        self.bound_to = (BATCH, binding(chosen, approved=self.approves))

    def clean(self) -> dict[str, Any]:
        """Refuse a rejection without a reason."""
        values = super().clean() or {}
        if not self.approves and not values.get("reason") and not self.has_error("reason"):
            self.add_error("reason", "Say why, so that those who asked know what to change.")
        return values


class AskAgainForm(StepUpForm):
    """Asking once more for what has ended. Money that is `sent` at once takes a code for exactly this (SU-2)."""

    note = NoteField(label="Note", help_text="Shown to who decides, if anybody has to.")

    def __init__(self, *args: Any, step_up: StepUp, change: ChangeRequest, sent: bool, **kwargs: Any) -> None:
        bound = {"change": change.reference, "digest": change.digest} if sent else {}
        super().__init__(*args, step_up=step_up, initial={"note": change.note}, **bound, **kwargs)


class CancelForm(Form):
    """Taking one's own request back."""

    reason = NoteField(label="Reason")
