"""A Service User: a bot. It never signs in; it holds API keys (DESIGN §7)."""

from decimal import Decimal
from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower

from accounts.models.account import Account
from accounts.models.organization import Organization
from portal.core import actors

PURPOSE_LENGTH = 200
NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9-]{0,31}"


class Permission(models.TextChoices):
    """What an API key may do, under the identifiers of the protocol (`GetApiKeyInfo`; DESIGN K3)."""

    QUERY_FUNDS = "query-funds", "Query"
    EARN = "earn-funds", "Earn"
    DEPOSIT = "add-funds", "Deposit"
    WITHDRAW = "withdraw-funds", "Withdraw"
    QUERY_OPEN = "query-open-trades", "Query open"
    QUERY_CLOSED = "query-closed-trades", "Query closed"
    MODIFY = "modify-trades", "Create and modify"
    CLOSE = "close-trades", "Cancel and close"
    QUERY_LEDGER = "query-ledger", "Query ledger"
    EXPORT = "export-data", "Export data"


PERMISSION_GROUPS: dict[str, tuple[Permission, ...]] = {
    "Funds": (Permission.QUERY_FUNDS, Permission.EARN, Permission.DEPOSIT, Permission.WITHDRAW),
    "Orders and trades": (Permission.QUERY_OPEN, Permission.QUERY_CLOSED, Permission.MODIFY, Permission.CLOSE),
    "Data": (Permission.QUERY_LEDGER, Permission.EXPORT),
}


class ServiceUser(models.Model):
    """A bot of one Account, with the permissions and settings that all its keys share (K3, K4).

    `query_start` is inclusive, `query_end` exclusive. `nonce_window` counts nonce units, 0 is strictly rising. The caps
    bound what it withdraws, once and in 24 hours, in hundredths of the Organization's currency; empty is no bound.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="service_users")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="service_users")
    name = models.CharField(max_length=32, validators=[RegexValidator(NAME_PATTERN + r"\Z")])
    purpose = models.CharField(max_length=PURPOSE_LENGTH, blank=True, default="")
    permissions = models.JSONField(default=list)
    query_start = models.DateTimeField(null=True, blank=True)
    query_end = models.DateTimeField(null=True, blank=True)
    websocket = models.BooleanField(default=False)
    nonce_window = models.BigIntegerField(default=0)
    ip_allow_list = models.JSONField(default=list)
    withdrawal_cap_hundredths = models.BigIntegerField(null=True)
    daily_cap_hundredths = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    suspended_at = models.DateTimeField(null=True, blank=True)
    suspended_by = models.ForeignKey(
        "accounts.Member", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    removed_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("organization", Lower("name"), name="service_user_name_once_per_organization"),
            models.CheckConstraint(condition=models.Q(nonce_window__gte=0), name="service_user_nonce_window_positive"),
            models.CheckConstraint(
                condition=models.Q(query_start=None)
                | models.Q(query_end=None)
                | models.Q(query_start__lt=models.F("query_end")),
                name="service_user_query_dates_in_order",
            ),
            models.CheckConstraint(
                condition=(models.Q(withdrawal_cap_hundredths=None) | models.Q(withdrawal_cap_hundredths__gt=0))
                & (models.Q(daily_cap_hundredths=None) | models.Q(daily_cap_hundredths__gt=0)),
                name="service_user_caps_above_zero",
            ),
            models.CheckConstraint(
                condition=models.Q(suspended_by=None) | models.Q(suspended_at__isnull=False),
                name="service_user_suspended_if_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def kind(self) -> str:
        """What an actor is called that is a Service User; the history keeps it."""
        return actors.SERVICE_USER

    @property
    def label(self) -> str:
        """Its name, as pages and the history say it."""
        return self.name

    @property
    def is_active(self) -> bool:
        """Whether its keys work, as far as the bot itself goes."""
        return self.suspended_at is None and self.removed_at is None

    @property
    def withdrawal_cap(self) -> Decimal | None:
        """The most that one withdrawal may be worth, in the Organization's currency; None without a bound."""
        return _in_currency(self.withdrawal_cap_hundredths)

    @property
    def daily_cap(self) -> Decimal | None:
        """The same of all that its keys send within 24 hours."""
        return _in_currency(self.daily_cap_hundredths)

    def has(self, permission: Permission) -> bool:
        """Whether all its keys hold that permission."""
        return permission.value in self.permissions


def _in_currency(hundredths: int | None) -> Decimal | None:
    return None if hundredths is None else Decimal(hundredths).scaleb(-2)
