"""Whether this version of the portal can read a request, and what is so of one that it cannot (DESIGN R5)."""

from dataclasses import dataclass
from typing import Any, Final

from policies import payload, registry
from policies.models import ChangeRequest
from policies.registry import Operation

UNREADABLE: Final = "This was asked in another version of the portal and cannot be read any more. Ask for it anew."
UNKNOWN_OPERATION: Final = (
    "This version of the portal does not know what was asked here, so nobody can carry it out. Ask for it anew."
)


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
