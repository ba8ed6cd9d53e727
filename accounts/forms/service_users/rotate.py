"""The form for a new key beside an old one."""

from dataclasses import replace
from typing import Any, Final

from django import forms

from accounts.forms.service_users.risk import expiry_help
from accounts.forms.service_users.service_users import InstantField
from accounts.models import ServiceUser
from accounts.service_users.key_settings import Limits, check
from accounts.service_users.params import RotateKey
from accounts.service_users.rotate import replaceable
from portal.core.errors import Invalid
from portal.core.forms import StepUpForm

OVERLAPS: Final = (
    (0, "Nothing: it stops when the new one is revealed"),
    (1, "1 day"),
    *((days, f"{days} days") for days in range(2, 8)),
)


class RotateForm(StepUpForm):
    """How long the old key goes on, and how long the new one lasts."""

    overlap_days = forms.TypedChoiceField(
        label="The old key goes on for",
        choices=OVERLAPS,
        coerce=int,
        initial=2,
        help_text="Counted from the moment in which the new secret is revealed. Both keys work until then.",
    )
    expires_at = InstantField(label="The new key expires")
    acknowledged = forms.BooleanField(
        label="I mean it, should this key move money for ever or from anywhere",
        required=False,
        help_text="Approvers see that you ticked this.",
    )

    def __init__(self, *args: Any, service_user: ServiceUser, before: Limits, **kwargs: Any) -> None:
        self.service_user, self.before = service_user, before
        self.replaced = replaceable(service_user)
        super().__init__(*args, **kwargs)
        self.fields["expires_at"].help_text = expiry_help()
        if not self.replaced:
            del self.fields["overlap_days"]
        if not before.may_withdraw:
            del self.fields["acknowledged"]

    def clean(self) -> dict[str, Any]:
        """Also check what the new key could do until when, as if the bot were made with it."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "expires_at" in cleaned:
            limits = replace(self.before, expires_at=cleaned["expires_at"])
            try:
                check(limits, acknowledged=bool(cleaned.get("acknowledged")))
            except Invalid as error:
                self.refuse(error)
        return cleaned

    def params(self) -> RotateKey:
        """What is asked for: the key to replace, the overlap in hours, and the new key's expiry."""
        return RotateKey(
            service_user_id=self.service_user.pk,
            account_id=self.service_user.account_id,
            limits=self.before,
            replaced=self.replaced,
            overlap_hours=int(self.cleaned_data.get("overlap_days", 0)) * 24,
            expires_at=self.cleaned_data["expires_at"],
            acknowledged=bool(self.cleaned_data.get("acknowledged")),
        )
