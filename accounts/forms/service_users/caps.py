"""The most that a key may withdraw: amounts of the Organization's currency, as people type them."""

from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.forms import Widget

from accounts.models import Organization
from accounts.service_users.key_settings import check_cap
from portal.core.errors import Invalid
from portal.core.money import parse_plain, plain

LONGEST: Final = 40


class CapField(forms.CharField):
    """An amount above zero with two decimals at most, or nothing."""

    def __init__(self, **kwargs: Any) -> None:
        attributes = {"class": "input input--mono", "inputmode": "decimal", "autocomplete": "off"}
        super().__init__(required=False, max_length=LONGEST, widget=forms.TextInput(attrs=attributes), **kwargs)

    def widget_attrs(self, widget: Widget) -> dict[str, Any]:
        """Too long a number is refused, never cut to another one."""
        return {name: value for name, value in super().widget_attrs(widget).items() if name != "maxlength"}

    def prepare_value(self, value: Any) -> Any:  # noqa: ANN401 - Django's own signature
        """What is kept, without padding; what was typed, as it was typed."""
        return plain(value) if isinstance(value, Decimal) else value

    def clean(self, value: Any) -> Decimal | None:  # noqa: ANN401 - Django's own signature
        """The amount; None where nothing was typed."""
        text: str = super().clean(value)
        if not text:
            return None
        try:
            cap = parse_plain(text)
            check_cap(cap, field="")
        except Invalid as error:
            raise ValidationError(error.message) from error
        return cap


def typed_cap(text: str) -> Decimal | None:
    """What a half-filled form says; None for what cannot be read."""
    try:
        return CapField().clean(text)
    except ValidationError:
        return None


def withdrawal_cap_help(organization: Organization) -> str:
    """What the bound counts, and in what."""
    return (
        f"In {organization.currency}, network fee included. Empty means no limit. What is worth more is refused, as is "
        "what nobody knows a price of."
    )


def daily_cap_help(organization: Organization) -> str:
    """The same of a day."""
    return (
        f"In {organization.currency}: what its keys sent within 24 hours and what waits, each withdrawal itself "
        "included. Empty means no limit."
    )
