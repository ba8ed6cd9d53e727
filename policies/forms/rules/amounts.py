"""An amount of the Organization's currency, as a rule names one."""

from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from policies.rules.language.validity import MAX_AMOUNT
from portal.core.errors import Invalid
from portal.core.money import parse_plain, plain

# More digits than any amount has are read to say what is wrong with them, and no more than that.
LONGEST: Final = 200
DIGITS: Final = "Write it in digits, without commas: for example 100000, or 0.25."
TOO_MUCH: Final = "An amount is below a thousand million millions."


class AmountField(forms.CharField):
    """Above zero, with two decimals at most; gives the Decimal in the digits that rules are stored in, or None."""

    def __init__(self, **kwargs: Any) -> None:
        attributes = {"inputmode": "decimal", "autocomplete": "off"}
        super().__init__(required=False, max_length=LONGEST, widget=forms.TextInput(attrs=attributes), **kwargs)

    def clean(self, value: object) -> Decimal | None:
        """Raises: ValidationError for anything that is no such amount."""
        text = super().clean(value)
        if not text:
            return None
        if text.isascii() and text.isdigit() and len(text) > len(str(MAX_AMOUNT)):
            raise ValidationError(TOO_MUCH)
        try:
            amount = Decimal(plain(parse_plain(text)))
        except Invalid as error:
            raise ValidationError(error.message if "above zero" in error.message else DIGITS) from error
        if amount > MAX_AMOUNT:
            raise ValidationError(TOO_MUCH)
        if (-int(amount.as_tuple().exponent)) > 2:
            raise ValidationError("An amount has two decimals at most.")
        return amount
