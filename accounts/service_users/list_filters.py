"""Which Service Users a list shows: filters from closed sets, each a condition that the database answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from accounts.models import Account, ApiKey, ServiceUser
from accounts.models.api_key import CLAIM_WITHIN
from accounts.models.service_user import Permission

STATES: Final = {
    "live": "Live",
    "waiting": "Waiting to be revealed",
    "rotating": "Rotating",
    "none": "Without a key that works",
    "suspended": "Suspended",
    "removed": "Removed",
}
EXPIRING: Final = {"1": "Within a day", "7": "Within 7 days", "30": "Within 30 days", "never": "Never"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody chose, each empty or one of its set."""

    state: str = ""
    permission: str = ""
    account: str = ""
    expiring: str = ""

    @property
    def is_any(self) -> bool:
        """Whether nothing is chosen, so that any is shown."""
        return not any((self.state, self.permission, self.account, self.expiring))


def chosen(given: Mapping[str, str], accounts: list[Account]) -> Chosen:
    """The filters of a query; what is in no set counts as not chosen (security IN-3)."""
    return Chosen(
        state=_one_of(given.get("state"), STATES),
        permission=_one_of(given.get("permission"), Permission.values),
        account=_one_of(given.get("account"), [str(account.pk) for account in accounts]),
        expiring=_one_of(given.get("expiring"), EXPIRING),
    )


def filtered(bots: QuerySet[ServiceUser], filters: Chosen) -> QuerySet[ServiceUser]:
    """The bots that fit all of the filters."""
    if filters.state:
        bots = bots.filter(_STATES[filters.state]())
    if filters.account:
        bots = bots.filter(account_id=int(filters.account))
    if filters.permission:
        # Neither database looks into a JSON list in the same way; both know its text, where each stands in quotes.
        held = bots.annotate(held=Cast("permissions", TextField()))
        bots = held.filter(held__contains=f'"{filters.permission}"')
    if filters.expiring == "never":
        bots = bots.filter(Exists(_working().filter(expires_at=None)))
    elif filters.expiring:
        soon = timezone.now() + timedelta(days=int(filters.expiring))
        bots = bots.filter(Exists(_working().filter(expires_at__lte=soon)))
    return bots


def _one_of(value: str | None, allowed: "Mapping[str, str] | list[str]") -> str:
    return value if value and value in allowed else ""


def _working() -> QuerySet[ApiKey]:
    unexpired = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return ApiKey.objects.filter(unexpired, service_user=OuterRef("pk"), is_active=True)


def _waiting() -> QuerySet[ApiKey]:
    since = timezone.now() - CLAIM_WITHIN
    held = ApiKey.objects.filter(service_user=OuterRef("pk"), slot__isnull=False, revealed_at=None)
    return held.filter(created_at__gt=since)


STANDS: Final = Q(suspended_at=None, removed_at=None)
_STATES: Final[Mapping[str, Callable[[], Q]]] = {
    "live": lambda: STANDS & Q(Exists(_working())),
    "waiting": lambda: STANDS & Q(Exists(_waiting())),
    "rotating": lambda: STANDS & Q(Exists(_working().filter(retires_at__isnull=False))),
    "none": lambda: STANDS & ~Q(Exists(_working())) & ~Q(Exists(_waiting())),
    "suspended": lambda: Q(suspended_at__isnull=False, removed_at=None),
    "removed": lambda: Q(removed_at__isnull=False),
}
