"""The life of a ChangeRequest (DESIGN R1 to R8). Nothing else in the portal writes its state.

Every move is one transaction that takes the Organization's history first, then the request's row, then looks again.
"""

from policies.changes.asking_again import ask_again, can_ask_again
from policies.changes.closing import cancel, cancel_about, cancel_all, cancel_unrightful, expire, expire_due
from policies.changes.deciding import decide, execute, no_longer_stands
from policies.changes.opening import propose

__all__ = [
    "ask_again",
    "can_ask_again",
    "cancel",
    "cancel_about",
    "cancel_all",
    "cancel_unrightful",
    "decide",
    "execute",
    "expire",
    "expire_due",
    "no_longer_stands",
    "propose",
]
