"""Groups of Members: what asks for them, who is in them, and how somebody leaves them (DESIGN P7)."""

from policies.groups.asking import Asks, asks_for, drafting, is_named, is_named_by_lock
from policies.groups.leaving import leave_all
from policies.groups.listing import Candidate, Listed, candidates, listed, of_facts, of_member

__all__ = [
    "Asks",
    "Candidate",
    "Listed",
    "asks_for",
    "candidates",
    "drafting",
    "is_named",
    "is_named_by_lock",
    "leave_all",
    "listed",
    "of_facts",
    "of_member",
]
