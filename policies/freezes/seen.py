"""Which freezes a Member sees, and the red line about those that run, on every page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from policies.models import Freeze, Grant
from portal.core.database.compiled.given import Key
from portal.core.database.rows import Rows, instant

if TYPE_CHECKING:
    from accounts.models import Member

# One of each member at the most runs without others having agreed; the page of freezes has them all.
READ: Final = 50
SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Said:
    """One freeze in the line."""

    pk: int
    label: str
    by: str
    reason: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """What every page shows: the freezes that run and the reader may see, newest first, and how many more there are."""

    freezes: tuple[Said, ...]
    more: int


def seen_by(member_id: Key, organization_id: Key) -> QuerySet[Freeze]:
    """Those of workflows and Accounts on which that Member holds any right; one of all Accounts by a right on any."""
    held = Grant.objects.filter(member=member_id, workflow=OuterRef("workflow"))
    of_account = held.filter(Q(account=None) | Q(account=OuterRef("account_id")))
    return Freeze.objects.filter(
        Q(Exists(of_account)) | (Q(account=None) & Q(Exists(held))), organization=organization_id
    )


def asked(member_id: Key, organization_id: Key) -> dict[str, Any]:
    """As columns of the statement about the reader."""
    rows = seen_by(member_id, organization_id).filter(ended_at=None).order_by("-pk")[:READ]
    return {"running": Rows(rows, "pk", "label", "made_by__user__name", "reason", "ends_at")}


def told(member: "Member", row: Mapping[str, Any]) -> Line:
    """What those columns say. What the clock has ended meanwhile need not be written down yet."""
    now = timezone.now()
    rows = sorted(row["running"], reverse=True)
    found = [Said(pk, label, by, reason, instant(until)) for pk, label, by, reason, until in rows]
    left = [said for said in found if said.until > now]
    return Line(tuple(left[:SHOWN]), max(0, len(left) - SHOWN))
