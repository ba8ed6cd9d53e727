"""Whether this version of the portal can read a request, and what is so of one that it cannot (DESIGN R5)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone

from policies import payload, registry
from policies.models import ChangeRequest
from policies.registry import Operation
from portal.core.database.migrating import release

UNREADABLE: Final = "This was asked in another version of the portal and cannot be read any more. Ask for it anew."
UNKNOWN_OPERATION: Final = (
    "This version of the portal does not know what was asked here, so nobody can carry it out. Ask for it anew."
)
LEFT: Final = (
    "A later version of the portal is being brought in, and what was asked here is done by that one alone. Nothing was "
    "changed. Try again in a few minutes."
)
# An upgrade is done long before. After that nobody comes who knows it, and it must not stay open for ever.
LEFT_FOR: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Read:
    """What a request would run, and with what."""

    entry: Operation[Any]
    params: Any


def read(change: ChangeRequest) -> Read | str:
    """What `change` would run; or in words why this version cannot carry it out, whoever agrees to it."""
    try:
        entry = registry.get(change.operation)
        return Read(entry, payload.decode(entry.params, change.params))
    except registry.Unregistered:
        return UNKNOWN_OPERATION
    except payload.Unreadable:
        return UNREADABLE


def trouble(change: ChangeRequest) -> str:
    """Why this version cannot carry `change` out; empty if it can read it."""
    found = read(change)
    return found if isinstance(found, str) else ""


def is_left_to_later(change: ChangeRequest) -> bool:
    """Whether nodes of a later release serve beside this one, and one of them knows what is not known here.

    Whoever ended it here could neither ask how it went nor give back what it holds.
    """
    try:
        registry.get(change.operation)
    except registry.Unregistered:
        return change.expires_at + LEFT_FOR > timezone.now() and release.has_later()
    return False


def moves_money(change: ChangeRequest) -> bool:
    """Whether it is approved one at a time, with a second factor for it alone; what is not known is taken to be."""
    try:
        return registry.get(change.operation).money
    except registry.Unregistered:
        return True


def barred(change: ChangeRequest) -> str:
    """Why nobody may agree to `change` as things stand; empty if nothing but approvals is missing, or it has ended."""
    if not change.is_open:
        return ""
    found = read(change)
    return "" if isinstance(found, str) else found.entry.barred(change)
