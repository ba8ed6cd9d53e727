"""The forms about Service Users: text in, typed limits out."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.api_keys.nonces import MAX_WINDOW
from accounts.forms.service_users.caps import CapField, daily_cap_help, withdrawal_cap_help
from accounts.forms.service_users.permissions import PermissionBox, boxes
from accounts.forms.service_users.risk import Risk, allow_list_help, expiry_help, risk_of, websocket_help
from accounts.models import Account, Organization, ServiceUser
from accounts.models.service_user import PURPOSE_LENGTH, Permission
from accounts.service_users.key_settings import Limits, check, check_name, ordered, parse_allow_list
from accounts.service_users.params import ChangeServiceUser, CreateServiceUser
from portal.core.errors import Invalid
from portal.core.forms import PlainTextField, StepUpForm

MINUTE: Final = "%Y-%m-%dT%H:%M"
FIRST_YEAR, LAST_YEAR = 2000, 2199


class ShownInstant(forms.DateTimeInput):
    """What the field showed when the page was opened, sent back beside what it says now."""

    input_type = "hidden"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format=MINUTE)


class InstantField(forms.DateTimeField):
    """A date and time typed in the member's zone and kept in UTC.

    A page shows minutes of one zone, and what is kept is finer and has none. So what was not touched is taken from what
    is kept, never from the page: neither seconds, nor another zone chosen meanwhile, nor an hour that a clock shows
    twice may move it.
    """

    hidden_widget = ShownInstant
    untouched: tuple[str, datetime | None] | None = None

    def keep(self, stored: datetime | None, *, shown: str | None) -> None:
        """Take `stored` for the text that the page showed; `shown` is what the page says that was."""
        self.show_hidden_initial = True
        text = self.widget.format_value(self.prepare_value(stored)) if shown is None else shown
        self.untouched = text or "", stored

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(format=MINUTE, attrs={"type": "datetime-local"})
        super().__init__(required=False, widget=widget, **kwargs)

    def clean(self, value: Any) -> datetime | None:  # noqa: ANN401 - Django's own signature
        """An instant in UTC, or None; a text nobody touched keeps the seconds that the field does not show."""
        if self.untouched and str(value or "").strip() == self.untouched[0]:
            return self.untouched[1]
        at: datetime | None = super().clean(value)
        if at is None:
            return None
        if not FIRST_YEAR <= at.year <= LAST_YEAR:
            raise ValidationError(f"Choose a year from {FIRST_YEAR} to {LAST_YEAR}.")
        return at.astimezone(UTC)


class LimitsForm(StepUpForm):
    """Permissions and settings of a bot."""

    purpose = PlainTextField(
        label="Purpose",
        required=False,
        max_length=PURPOSE_LENGTH,
        help_text="What it is for, in a few words. Approvers read it.",
    )
    permissions = forms.MultipleChoiceField(
        label="What it may do",
        choices=Permission.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one permission."},
    )
    expires_at = InstantField(label="Expiry")
    query_start = InstantField(label="Queries from")
    query_end = InstantField(label="Queries until")
    websocket = forms.BooleanField(label="WebSocket", required=False)
    nonce_window = forms.IntegerField(
        label="Nonce window",
        min_value=0,
        max_value=MAX_WINDOW,
        initial=0,
        help_text=(
            "How far behind its highest nonce a call may still come, for calls that overtake each other; each nonce "
            "counts once all the same. In the unit of the client: ten seconds are 10000 for ccxt and krakenex "
            "(milliseconds), 1000000000 for python-kraken-sdk (10 nanoseconds), 10000000000 for nanoseconds. 0 means "
            "that each call must bring a higher one."
        ),
    )
    ip_allow_list = forms.CharField(
        label="IP allow-list",
        required=False,
        max_length=3000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "input input--mono"}),
    )
    withdrawal_cap = CapField(label="Most at once")
    daily_cap = CapField(label="Most in 24 hours")
    acknowledged = forms.BooleanField(
        label="I mean it, should this key move money for ever or from anywhere",
        required=False,
        help_text="Approvers see that you ticked this.",
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        self.organization = organization
        super().__init__(*args, **kwargs)
        self.fields["withdrawal_cap"].help_text = withdrawal_cap_help(organization)
        self.fields["daily_cap"].help_text = daily_cap_help(organization)
        zone = timezone.get_current_timezone_name()
        self.fields["expires_at"].help_text = expiry_help()
        self.fields["ip_allow_list"].help_text = allow_list_help()
        self.fields["websocket"].help_text = websocket_help()
        self.fields["query_start"].help_text = f"{zone}. Nothing from before it is shown to the bot."
        self.fields["query_end"].help_text = f"{zone}. Nothing from then on is shown to the bot."

    def permission_groups(self) -> Iterator[tuple[str, list[PermissionBox]]]:
        """The ten permissions in their three groups, as they are ticked now."""
        return boxes(self["permissions"].value() or ())

    def risk(self) -> Risk:
        """What a key could do at worst, as the form stands now."""
        return risk_of(
            {str(value) for value in self["permissions"].value() or ()},
            expires_at=self["expires_at"].value(),
            ip_allow_list=str(self["ip_allow_list"].value() or ""),
            caps=(str(self["withdrawal_cap"].value() or ""), str(self["daily_cap"].value() or "")),
            currency=self.organization.currency,
        )

    def clean_permissions(self) -> tuple[str, ...]:
        """The permissions in the order of the protocol, whatever order they came in."""
        return ordered(self.cleaned_data["permissions"])

    def clean_ip_allow_list(self) -> tuple[str, ...]:
        """The addresses and ranges, each in its one way of writing; every bad line is named."""
        try:
            return parse_allow_list(self.cleaned_data["ip_allow_list"])
        except Invalid as error:
            raise ValidationError(error.message.split("\n")) from error

    def clean(self) -> dict[str, Any]:
        """Look at what only the whole can tell, also while single fields are still wrong."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "permissions" in cleaned:
            limits = Limits(
                permissions=cleaned["permissions"],
                expires_at=cleaned.get("expires_at"),
                query_start=cleaned.get("query_start"),
                query_end=cleaned.get("query_end"),
                websocket=cleaned["websocket"],
                nonce_window=cleaned.get("nonce_window", 0),
                ip_allow_list=cleaned.get("ip_allow_list", ()),
                purpose=cleaned.get("purpose", ""),
                withdrawal_cap=cleaned.get("withdrawal_cap"),
                daily_cap=cleaned.get("daily_cap"),
            )
            try:
                check(limits, acknowledged=cleaned["acknowledged"])
            except Invalid as error:
                if error.field not in self.errors:
                    self.refuse(error)
        return cleaned

    def limits(self) -> Limits:
        """All that was typed, as one value."""
        cleaned = self.cleaned_data
        return Limits(
            permissions=cleaned["permissions"],
            expires_at=cleaned["expires_at"],
            query_start=cleaned["query_start"],
            query_end=cleaned["query_end"],
            websocket=cleaned["websocket"],
            nonce_window=cleaned["nonce_window"],
            ip_allow_list=cleaned["ip_allow_list"],
            purpose=cleaned["purpose"],
            withdrawal_cap=cleaned["withdrawal_cap"],
            daily_cap=cleaned["daily_cap"],
        )


class NewServiceUserForm(LimitsForm):
    """A new bot."""

    name = forms.CharField(
        label="Name",
        max_length=32,
        help_text="Letters, digits and hyphens. Approvers see it on every request.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    account = forms.ModelChoiceField(Account.objects.none(), label="Account", empty_label=None)
    field_order = ("name", "account", "purpose")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        accounts = cast("forms.ModelChoiceField[Account]", self.fields["account"])
        accounts.queryset = Account.objects.filter(organization=self.organization).order_by("pk")

    def clean_name(self) -> str:
        """The name, which no bot of the Organization bears or ever bore."""
        name: str = self.cleaned_data["name"]
        try:
            check_name(name)
        except Invalid as error:
            raise ValidationError(error.message) from error
        if ServiceUser.objects.filter(organization=self.organization, name__iexact=name).exists():
            raise ValidationError(f"There is, or was, a {name} in {self.organization.name}. Choose another name.")
        return name

    def params(self) -> CreateServiceUser:
        """What is asked for: the bot, its Account and its limits."""
        cleaned = self.cleaned_data
        return CreateServiceUser(
            name=cleaned["name"],
            account_id=cleaned["account"].pk,
            acknowledged=cleaned["acknowledged"],
            **{field: getattr(self.limits(), field) for field in asdict(self.limits())},
        )


class ChangeServiceUserForm(LimitsForm):
    """Other limits for a bot; it opens with those it has, and remembers which version of it those were."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, service_user: ServiceUser, before: Limits, **kwargs: Any) -> None:
        self.service_user, self.before = service_user, before
        initial = {
            **asdict(before),
            "ip_allow_list": "\n".join(before.ip_allow_list),
            "version": service_user.version,
        }
        super().__init__(*args, initial=initial, **kwargs)
        for name in ("expires_at", "query_start", "query_end"):
            field = cast("InstantField", self.fields[name])
            field.keep(getattr(before, name), shown=self.data.get(self.add_initial_prefix(name)))

    def clean(self) -> dict[str, Any]:
        """Refuse a change of a bot that was changed meanwhile, and one that changes nothing."""
        cleaned = super().clean()
        if cleaned.get("version") != self.service_user.version:
            raise ValidationError(
                f"{self.service_user.name} was changed since you opened this page. Open it again to see how it is now, "
                "then make your change."
            )
        if not self.errors and self.limits() == self.before:
            raise ValidationError("Nothing would change.")
        return cleaned

    def params(self) -> ChangeServiceUser:
        """What is asked for: the limits as they were shown, and as they shall be."""
        return ChangeServiceUser(
            service_user_id=self.service_user.pk,
            account_id=self.service_user.account_id,
            before=self.before,
            after=self.limits(),
            acknowledged=self.cleaned_data["acknowledged"],
        )


class ConfirmForm(StepUpForm):
    """A step that needs nothing but a second factor."""
