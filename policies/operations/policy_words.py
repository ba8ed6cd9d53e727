"""What the operations on policies share: the policy as it stands, and it in words beside what would be."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from policies.models import Policy
from policies.registry import Touched
from policies.rule_words import Names, is_shortened, names_of, sentence
from policies.rules import Bot, Facts, Terms, is_locked
from policies.rules.language import Rule
from policies.snapshot import gather
from policies.snapshot.stored_rules import digest_of, read_rules
from policies.stage_guide import effect
from policies.workflows import Workflow
from portal.core.database.one_reading import once
from portal.core.display.descriptions import Fact, FieldChange, Notice
from portal.core.display.phrases import counted
from portal.core.errors import Refused

if TYPE_CHECKING:
    from policies.models import ChangeRequest

RULES: Final = "Rules"
BY_RULES: Final = "by rules"
SAFEGUARDS: Final = ("Approvals", "Always require approval", "Locked")
FIELDS: Final = (*SAFEGUARDS, "Stays open, hours")
TERMS: Final = (*(field for field in FIELDS if field != "Locked"), RULES)


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
    rules = read_rules(policy.rules)
    return Terms(policy.workflow, policy.approvals, policy.always, policy.open_hours, policy.is_locked, rules)


def compared(before: Terms | None, after: Terms | None) -> tuple[FieldChange, ...]:
    """Each field that differs; a safeguard that gets weaker is marked."""
    rows = zip(FIELDS, _values(before), _values(after), strict=True)
    return tuple(
        FieldChange(label, _word(old), _word(new), grows=label in SAFEGUARDS and _is_less(new, old))
        for label, old, new in rows
        if old != new
    )


def written(
    change: "ChangeRequest", workflow: Workflow, after: Terms | None, *, fields: tuple[str, ...] = (*FIELDS, RULES)
) -> tuple[Touched, ...]:
    """The `fields` that a request would write, as they are now (R6)."""
    before = terms(standing(change, workflow))
    rows = zip(FIELDS, _values(before), _values(after), strict=True)
    found = tuple(Touched(label, _word(now), _word(wanted)) for label, now, wanted in rows if label in fields)
    involved = has_rules(before) or has_rules(after)
    return (*found, _rules(change, before, after)) if involved and RULES in fields else found


def has_rules(found: Terms | None) -> bool:
    """Whether a policy says more than a number."""
    return found is not None and found.rules != ()


def _rules(change: "ChangeRequest", before: Terms | None, after: Terms | None) -> Touched:
    names = names_of(change.organization, gather(change.organization))
    mark = mark_of(before.rules) if before else "none"
    return Touched(RULES, rules_said(before, names), rules_said(after, names), mark=mark)


def rules_said(found: Terms | None, names: Names) -> str:
    """The rules of a policy, one sentence after the other; two sets whose lists are shortened are told apart."""
    if found is None or not has_rules(found):
        return "none"
    if found.rules is None:
        return "unreadable"
    said = " ".join(sentence(rule, names) for rule in found.rules)
    return f"{said} [{mark_of(found.rules)[:8]}]" if any(map(is_shortened, found.rules)) else said


def mark_of(rules: Sequence[Rule] | None) -> str:
    """What tells one set of rules from any other, whatever order they are in."""
    return "unreadable" if rules is None else digest_of(rules) or "none"


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


def _values(found: Terms | None) -> tuple[int | bool | str | None, ...]:
    if found is None:
        return (None, None, None, None)
    # A policy of rules and one of a number say nothing alike, whatever follows from the rules.
    said = (BY_RULES, BY_RULES) if has_rules(found) else (found.approvals, found.always)
    return (*said, found.is_locked, found.open_hours)


def _is_less(new: int | bool | str | None, old: int | bool | str | None) -> bool:
    return not isinstance(new, str) and not isinstance(old, str) and (new or 0) < (old or 0)


def _word(value: int | bool | str | None) -> str:
    if value is None:
        return "none"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
