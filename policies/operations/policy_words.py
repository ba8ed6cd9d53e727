"""What the operations on policies share: the policy as it stands, and it in words beside what would be."""

from typing import TYPE_CHECKING, Final

from policies.models import Policy
from policies.registry import Touched
from policies.rules import Bot, Facts, Terms, is_locked
from policies.snapshot import gather
from policies.stage_guide import effect
from policies.workflows import Workflow
from portal.core.database.one_reading import once
from portal.core.display.descriptions import Fact, FieldChange, Notice
from portal.core.display.phrases import counted
from portal.core.errors import Refused

if TYPE_CHECKING:
    from policies.models import ChangeRequest

SAFEGUARDS: Final = ("Approvals", "Always require approval", "Locked")
FIELDS: Final = (*SAFEGUARDS, "Stays open, hours")
TERMS: Final = tuple(field for field in FIELDS if field != "Locked")


def standing(change: "ChangeRequest", workflow: Workflow) -> Policy | None:
    """The policy as it stands; for a request that has ended there is no saying what it was before."""
    policies = once(
        ("policies", change.organization_id), lambda: list(Policy.objects.filter(organization=change.organization_id))
    )
    return next((policy for policy in policies if policy.workflow == workflow), None)


def terms(policy: Policy | None) -> Terms | None:
    """A policy as the rules see it."""
    if policy is None:
        return None
    return Terms(policy.workflow, policy.approvals, policy.always, policy.open_hours, policy.is_locked)


def compared(before: Terms | None, after: Terms | None) -> tuple[FieldChange, ...]:
    """Each field that differs; a safeguard that gets weaker is marked."""
    rows = zip(FIELDS, _values(before), _values(after), strict=True)
    return tuple(
        FieldChange(label, _word(old), _word(new), grows=label in SAFEGUARDS and (new or 0) < (old or 0))
        for label, old, new in rows
        if old != new
    )


def written(
    change: "ChangeRequest", workflow: Workflow, after: Terms | None, *, fields: tuple[str, ...] = FIELDS
) -> tuple[Touched, ...]:
    """The `fields` that a request would write, as they are now (R6)."""
    rows = zip(FIELDS, _values(terms(standing(change, workflow))), _values(after), strict=True)
    return tuple(Touched(label, _word(now), _word(wanted)) for label, now, wanted in rows if label in fields)


def of_a_lock(workflow: Workflow, facts: Facts) -> bool:
    """Whether it is the policy of `workflow` that is locked: changing it is protected (P3, P4)."""
    return is_locked(facts.policies, workflow)


def freed_by_removal(workflow: Workflow, facts: Facts) -> tuple[Bot, ...]:
    """The bots that would withdraw at once without the policy of `workflow` (P2)."""
    if workflow is not Workflow.INITIATE_WITHDRAWAL:
        return ()
    return tuple(bot for bot in facts.bots if bot.may_withdraw)


def freed(change: "ChangeRequest", workflow: Workflow, after: Terms | None) -> tuple[Notice, ...]:
    """Which bots would withdraw at once when nothing governs withdrawals any more, and who holds their keys.

    None of them approves it (P2), and the others are told.
    """
    if workflow is not Workflow.INITIATE_WITHDRAWAL or after is not None or not change.is_open:
        return ()
    facts = gather(change.organization, bots=True)
    bots = freed_by_removal(workflow, facts)
    if not bots:
        return ()
    names = {person.user_id: person.name for person in facts.people}
    held = "; ".join(
        f"{bot.name} (custodians: {', '.join(sorted(names.get(user, '?') for user in bot.custodians)) or 'none'})"
        for bot in bots
    )
    return (
        Notice(
            "wait",
            "Bots will then withdraw at once.",
            f"Nobody has to agree any more to what these ask: {held}. Whoever holds a key of theirs "
            "gains by this, and is not among those who approve it.",
        ),
    )


def consequences(change: "ChangeRequest", workflow: Workflow, after: Terms | None) -> tuple[Fact, ...]:
    """How many people could be spared, and how many could get there, before and after (P6); while it can be said."""
    if not change.is_open:
        return ()
    try:
        found = effect(gather(change.organization, bots=True), workflow, after)
    except Refused:
        return ()
    return (Fact("Spare people", found.spare_words), Fact("Effective strength", found.strength_words))


def count(number: int) -> str:
    """A number of approvals in words."""
    return counted(number, "approval")


def _values(found: Terms | None) -> tuple[int | bool | None, ...]:
    return (found.approvals, found.always, found.is_locked, found.open_hours) if found else (None, None, None, None)


def _word(value: int | bool | None) -> str:
    if value is None:
        return "none"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
