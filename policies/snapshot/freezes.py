"""What is frozen: as a column of the statement that reads an Organization, and in a statement of its own."""

from collections.abc import Sequence
from typing import Any, Final

from django.db.models import QuerySet
from django.utils import timezone

from policies.models import Freeze
from policies.rules import Frozen
from portal.core.database.compiled.given import Instant, Key
from portal.core.database.rows import Rows, instant

FIELDS: Final = ("pk", "workflow", "account_id", "destination", "label", "made_by__user__name", "reason", "ends_at")


def running(organization_id: Key, at: Instant) -> Rows:
    """The freezes that run there then, as a column for `told`."""
    return Rows(_running(organization_id, at), *FIELDS)


def told(rows: Sequence[Sequence[Any]]) -> tuple[Frozen, ...]:
    """What that column says, oldest first."""
    return tuple(
        Frozen(pk, workflow, account_id, destination, label, by, reason, instant(until))
        for pk, workflow, account_id, destination, label, by, reason, until in sorted(rows, key=lambda row: row[0])
    )


def now(organization_id: int) -> tuple[Frozen, ...]:
    """The same in a statement of its own."""
    return tuple(Frozen(*row) for row in _running(organization_id, timezone.now()).order_by("pk").values_list(*FIELDS))


def _running(organization_id: Key, at: Instant) -> QuerySet[Freeze]:
    return Freeze.objects.filter(organization=organization_id, ended_at=None, ends_at__gt=at)
