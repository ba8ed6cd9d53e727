"""Whether this version of the portal can read a request, and what is so of one that it cannot (DESIGN R5)."""

from typing import Final

from policies import payload, registry
from policies.models import ChangeRequest

UNREADABLE: Final = "This was asked in another version of the portal and cannot be read any more. Ask for it anew."
UNKNOWN_OPERATION: Final = (
    "This version of the portal does not know what was asked here, so nobody can carry it out. Ask for it anew."
)


def trouble(change: ChangeRequest) -> str:
    """Why this version cannot carry `change` out, whoever agrees to it; empty if it can read it."""
    try:
        payload.decode(registry.get(change.operation).params, change.params)
    except registry.Unregistered:
        return UNKNOWN_OPERATION
    except payload.Unreadable:
        return UNREADABLE
    return ""


def moves_money(change: ChangeRequest) -> bool:
    """Whether it is approved one at a time, with a second factor for it alone; what is not known is taken to be."""
    try:
        return registry.get(change.operation).money
    except registry.Unregistered:
        return True


def barred(change: ChangeRequest) -> str:
    """Why nobody may agree to `change` as things stand; empty if nothing but approvals is missing, or it has ended."""
    if not change.is_open or trouble(change):
        return ""
    return registry.get(change.operation).barred(change)
