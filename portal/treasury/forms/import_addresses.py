"""Choosing among what an exchange lists and the book does not have yet."""

from collections.abc import Sequence
from typing import Any, Final

from django import forms

from accounts.models import Account
from policies.forms.requests import NoteField
from portal.core.forms import StepUpForm
from portal.core.web.http import StepUp
from portal.treasury.forms.addresses import NOTE_HELP
from portal.treasury.mirrors.listed import Listed
from portal.treasury.operations import AddAddress
from portal.venues.registry import venue

NONE: Final = "Tick at least one address."
OTHER: Final = "The exchange's list has changed since this page was shown. Look again, then choose."


class ImportForm(StepUpForm):
    """Which of them to ask for; each is a request of its own, with the same note."""

    chosen = forms.MultipleChoiceField(
        label="Addresses",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": NONE, "invalid_choice": OTHER},
    )
    note = NoteField(label="Note", help_text=NOTE_HELP)

    def __init__(self, *args: Any, step_up: StepUp, account: Account, offered: Sequence[Listed], **kwargs: Any) -> None:
        self.account = account
        self.offered = {one.token: one for one in offered}
        super().__init__(*args, step_up=step_up, **kwargs)
        choices: Any = self.fields["chosen"]
        choices.choices = [(token, one.row.key) for token, one in self.offered.items()]

    def picked(self) -> list[Listed]:
        """What was ticked, in the order of the page."""
        ticked = set(self.cleaned_data["chosen"])
        return [one for token, one in self.offered.items() if token in ticked]

    def params(self, one: Listed) -> AddAddress:
        """What is asked for, word for word as the exchange has it. Raises: UnknownAsset, UnknownMethod; Unavailable.

        Outside of a transaction, so that the exchange can be asked for its ways out.
        """
        row, exchange = one.row, venue(self.account.venue)
        asset_id = exchange.asset(row.asset).id
        return AddAddress(
            account_id=self.account.pk,
            key=row.key,
            asset=asset_id,
            method=exchange.withdrawal_method(asset_id, row.method).name,
            address=row.address,
            memo=row.memo,
        )
