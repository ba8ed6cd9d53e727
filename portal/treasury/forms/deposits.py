"""What is to arrive from the simulated outside world."""

from decimal import Decimal
from typing import Any

from django import forms

from accounts.models import Account
from portal.core.forms import Form
from portal.core.money import parse_plain
from portal.treasury.forms.withdrawals import AmountField
from portal.venues.registry import venue


class TryDepositForm(Form):
    """An asset and how much of it."""

    asset = forms.ChoiceField(label="Asset", widget=forms.Select(attrs={"class": "input"}))
    amount = AmountField(label="Amount", help_text="It counts in the balance a few seconds later.")

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: Any = self.fields["asset"]
        choices.choices = [(asset.id, asset.code) for asset in venue(account.venue).assets()]

    def asked(self) -> tuple[str, Decimal]:
        """The asset's id and the amount."""
        return self.cleaned_data["asset"], parse_plain(self.cleaned_data["amount"])
