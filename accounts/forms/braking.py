"""The form of every brake: why, and a second factor."""

from datetime import datetime
from typing import Any, Final

from django import forms
from django.core import signing
from django.utils import timezone

from portal.core.forms import PlainTextField, StepUpForm

REASON_LENGTH: Final = 200


class BrakeForm(StepUpForm):
    """Why it is pulled, for whoever is told of it, and a second factor."""

    reason = PlainTextField(
        label="Why",
        max_length=REASON_LENGTH,
        help_text="Whoever is concerned reads it: in their mail, and in the history.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Say why, so that whoever is told of it knows what to do."},
    )


class EndSessionsForm(BrakeForm):
    """It also knows when its page was shown: whoever signs in after that is not meant."""

    shown = forms.CharField(widget=forms.HiddenInput, required=False, max_length=100)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, initial={"shown": signing.dumps(timezone.now().isoformat(), salt=__name__)}, **kwargs)

    @property
    def shown_at(self) -> datetime | None:
        """When the page was shown; None if that was tampered with, which serves nobody."""
        try:
            return datetime.fromisoformat(signing.loads(self.cleaned_data["shown"], salt=__name__))
        except signing.BadSignature:
            return None
