"""The form of every emergency stop: why, and a second factor."""

from datetime import datetime
from typing import Any, Final

from django import forms
from django.core import signing
from django.utils import timezone

from portal.core.forms import PlainTextField, StepUpForm

REASON_LENGTH: Final = 200
UNSEEN: Final = "The page did not say when it was shown. Look at the sessions again, and send it once more."


class StopForm(StepUpForm):
    """Why it is pulled, for whoever is told of it, and a second factor."""

    reason = PlainTextField(
        label="Why",
        max_length=REASON_LENGTH,
        help_text="Whoever is concerned reads it: in their mail, and in the history.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Say why, so that whoever is told of it knows what to do."},
    )


class EndSessionsForm(StopForm):
    """It also knows when its page was shown: whoever signs in after that is not meant."""

    shown_at: datetime

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = signing.dumps(timezone.now().isoformat(), salt=__name__)

    @property
    def shown(self) -> str:
        """What the page sends back: when it was shown, signed. After what was refused it is what was sent, if read."""
        return str(self.data["shown"]) if hasattr(self, "shown_at") else self.now

    def clean(self) -> dict[str, Any]:
        """Also read the signed moment at which the page was shown; a page without one has to be opened again."""
        cleaned = super().clean() or self.cleaned_data
        try:
            self.shown_at = datetime.fromisoformat(signing.loads(self.data.get("shown", ""), salt=__name__))
        except signing.BadSignature:
            self.add_error(None, UNSEEN)
        return cleaned
