"""Whether those who may decide now could finish a request at all (DESIGN P5)."""

from collections.abc import Sequence

from policies.rules import Asked, Facts, Need, Person, eligible, is_met, members
from policies.rules.need_words import LOST
from portal.core.display.phrases import counted
from portal.core.errors import Refused


def refuse_unfinishable(asked: Asked, facts: Facts, need: Need) -> None:
    """Let a request be opened only if those who may decide now could finish it (P5).

    Raises: Refused, naming who is missing.
    """
    people = eligible(asked, facts)
    if is_met(need, people, asked):
        return
    if len(people) >= need.approvals and not need.groups:
        if asked.frees:
            raise Refused(
                "Keys would withdraw at once then. For each of their Accounts who asks, or an approver who holds no "
                "such key, has to hold Execute on Initiate Withdrawal. Give one approver that right first."
            )
        raise Refused(
            "Nobody who can approve this holds Execute on Initiate Withdrawal, and nothing governs withdrawals yet. "
            "Set a policy for Initiate Withdrawal first, or give one approver that right."
        )
    _refuse_short_group(people, facts, need)
    able = f"only {', '.join(person.name for person in people)}" if people else "nobody"
    missing = need.approvals - len(people)
    raise Refused(
        f"Nobody could finish this: it needs {counted(need.approvals, 'approval')}, and {able} can give one. "
        f"Missing: {counted(missing, 'more member')} with Approve on {asked.workflow.title}."
    )


def _refuse_short_group(people: Sequence[Person], facts: Facts, need: Need) -> None:
    """Name the group of which too few can approve, where that is what is missing. Raises: Refused."""
    for group, count in need.groups:
        able = members(people, group)
        if len(able) < count:
            name = facts.groups.get(group, LOST)
            raise Refused(
                f"Nobody could finish this: it needs {counted(count, 'approval')} of {name}, and {len(able)} of them "
                f"can give one. Missing: {counted(count - len(able), 'more member')} of {name} who may approve it."
            )
