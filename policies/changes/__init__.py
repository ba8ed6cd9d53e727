"""The life of a ChangeRequest (DESIGN R1 to R8). Nothing else in the portal writes its state.

Every move is one transaction that takes the Organization's history first, then the request's row, then looks again.
Only asking for money that waits goes beside others, and takes the history last (`portal.audit.locks`).
"""

from policies.changes.cancel_and_expire import cancel, cancel_about, cancel_all, cancel_unrightful, expire, expire_due
from policies.changes.decisions import decide, execute, no_longer_stands
from policies.changes.proposals import propose
from policies.changes.resubmit import ask_again, can_ask_again

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
