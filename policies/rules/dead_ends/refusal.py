"""Refusing a change that would leave requests nobody can finish, with the order that works."""

from typing import Final

from policies.rules.dead_ends.asking import stranger
from policies.rules.dead_ends.counting import worse
from policies.rules.dead_ends.shortage import Shortage
from policies.rules.eligibility import Reason, why_not
from policies.rules.facts import NEVER, Facts
from policies.workflows import Right
from portal.core.display.phrases import counted
from portal.core.errors import Refused

# Why somebody who holds Approve does not count, where somebody can do something about it.
CURABLE: Final = frozenset({Reason.REMOVED, Reason.UNVERIFIED, Reason.NO_FACTOR, Reason.NO_PASSKEY})


def refuse_grown(before: Facts, after: Facts) -> None:
    """Let a change pass that makes no shortage appear or grow.

    Raises: Refused with the reason and the order that works.
    """
    short = worse(before, after)
    if short:
        # Whoever is added to a group is one more of all, too.
        first = max(short, key=lambda shortage: (shortage.missing, shortage.group is not None))
        more = f" {len(short) - 1} more would be short as well." if len(short) > 1 else ""
        raise Refused(f"This would leave requests that nobody can finish. {first}{more} {_order(first, after)}")


def _order(shortage: Shortage, facts: Facts) -> str:
    """What to do first, so that the same change passes afterwards."""
    if shortage.needed >= NEVER:
        return "First configure that policy again, or have the operator look at it."
    if shortage.nobody_asks:
        return f"First give Initiate on {shortage.workflow.title} to 1 more member, then ask again."
    people = counted(shortage.missing, "more member")
    order = f"First give Approve on {shortage.workflow.title} to {people}, then ask again."
    if shortage.group_name:
        order = (
            f"First add {people} with Approve on {shortage.workflow.title} to {shortage.group_name}, then ask again."
        )
    asked = stranger(shortage.workflow, shortage.account_id)
    held_up = [
        f"{person.name} {reason.they}"
        for person in facts.people
        if (reason := why_not(person, asked, facts.level)) in CURABLE
        and person.holds(shortage.workflow, Right.APPROVE, shortage.account_id)
        and (shortage.group is None or shortage.group in person.groups)
    ]
    return f"{order} Whoever holds it already but does not count: {'; '.join(held_up)}." if held_up else order
