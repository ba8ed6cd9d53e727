"""Saying what became of a withdrawal."""

from typing import Any, Final

from django import forms

from policies.forms.requests import NoteField
from portal.core.forms import PlainTextField, StepUpForm
from portal.core.web.http import StepUp
from portal.venues.kraken.models import Withdrawal
from portal.venues.kraken.settle.params import Outcome, Settle
from portal.venues.kraken.withdrawal_rows import REFID_LENGTH

CHOICES: Final = (
    (Outcome.WENT_OUT.value, "It went out, under the reference below"),
    (Outcome.SEND_AGAIN.value, "It did not go out: send it again"),
    (Outcome.GIVE_UP.value, "It did not go out: give it up, and give the amount back"),
)
MONO: Final = {"class": "input input--mono", "autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}


class SettleForm(StepUpForm):
    """What became of it."""

    outcome = forms.ChoiceField(label="What became of it", choices=CHOICES, widget=forms.RadioSelect)
    refid = PlainTextField(
        label="The exchange's reference",
        max_length=REFID_LENGTH,
        required=False,
        help_text="Only of what went out: as it stands at the exchange.",
        widget=forms.TextInput(attrs=MONO),
    )
    note = NoteField(label="Note", help_text="Shown to who decides.")

    def __init__(self, *args: Any, step_up: StepUp, row: Withdrawal, **kwargs: Any) -> None:
        self.row = row
        super().__init__(*args, step_up=step_up, **kwargs)

    def params(self) -> Settle:
        """What is said, of this withdrawal."""
        cleaned = self.cleaned_data
        return Settle(
            account_id=self.row.account_id,
            reference=self.row.reference,
            outcome=Outcome(cleaned["outcome"]),
            refid=cleaned["refid"],
        )
