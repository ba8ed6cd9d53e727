"""The red line: what is open of alarms, read along with what every page asks about its reader."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Exists
from django.urls import reverse

from accounts.models import Member
from policies.access import allows
from policies.workflows import Right
from portal.core.database.compiled.given import Key
from portal.core.database.rows import Rows, instant
from portal.venues.kraken.alarms import reach
from portal.venues.kraken.models import Alarm, Connection

# The newest; that there are more is said.
SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Said:
    """One alarm in the line."""

    pk: int
    said: str
    raised_at: datetime
    href: str


@dataclass(frozen=True, slots=True)
class Line:
    """What every page shows: the newest open alarms that the reader may see, and whether there are more.

    `has_page`: the reader's Organization has an Account at an exchange whose alarms they may see.
    """

    alarms: tuple[Said, ...]
    has_more: bool
    has_page: bool


def asked(member_id: Key, organization_id: Key) -> dict[str, Any]:
    """As columns of the statement about the reader."""
    opened = reach.seen_by(member_id, organization_id).filter(acknowledged_at=None).order_by("-pk")[: SHOWN + 1]
    return {
        "open": Rows(opened, "pk", "kind", "subject", "account_id", "said", "raised_at"),
        "is_connected": Exists(Connection.objects.filter(account__organization=organization_id)),
    }


def told(member: Member, row: Mapping[str, Any]) -> Line:
    """What those columns say."""
    rows = sorted(row["open"], reverse=True)
    alarms = tuple(
        Said(pk, said, instant(raised_at), leads_to(kind, subject, account_id))
        for pk, kind, subject, account_id, said, raised_at in rows
    )
    sees = any(allows(member, workflow, Right.VIEW) for workflow in (reach.MONEY, reach.ACCESS))
    return Line(alarms[:SHOWN], len(alarms) > SHOWN, has_page=bool(alarms) or (row["is_connected"] and sees))


def leads_to(kind: str, subject: str, account_id: int) -> str:
    """The page where something can be done about it; empty where it is the list of alarms."""
    if kind == Alarm.Kind.UNKNOWN_WITHDRAWAL:
        return reverse("treasury:withdrawal", args=[subject])
    if kind == Alarm.Kind.ADDRESS_DRIFT:
        return reverse("treasury:addresses")
    if kind in Alarm.CREDENTIAL_KINDS:
        return reverse("kraken:account", args=[account_id])
    return ""
