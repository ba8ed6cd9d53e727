"""Setting what a workflow asks for, and letting it ask for nothing any more (DESIGN P1)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.html import format_html

from policies import payload
from policies.models import Policy
from policies.models.policy import DEFAULT_OPEN_HOURS, MAX_APPROVALS, MAX_OPEN_HOURS, MIN_OPEN_HOURS
from policies.operations.policy_words import (
    TERMS,
    compared,
    consequences,
    count,
    freed,
    freed_by_removal,
    of_a_lock,
    standing,
    terms,
    written,
)
from policies.registry import Headline, Touched, operation
from policies.rules import Facts, Terms, is_locked, lock_protection
from policies.rules.binding_changes import least_to_configure
from policies.rules.stages import meaning
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.display.descriptions import Description, Fact, Notice
from portal.core.errors import Conflict, Invalid

if TYPE_CHECKING:
    from policies.models import ChangeRequest


@dataclass(frozen=True, slots=True)
class ConfigurePolicy:
    """What `workflow` shall ask for: 1 to 20 approvals, open for 1 to 720 hours."""

    workflow: Workflow
    approvals: int
    always: bool
    open_hours: int = DEFAULT_OPEN_HOURS


@dataclass(frozen=True, slots=True)
class RemovePolicy:
    """The workflow that shall ask for nothing any more."""

    workflow: Workflow


def _describe_configure(change: "ChangeRequest") -> Description:
    params = payload.decode(ConfigurePolicy, change.params)
    before = _before(change, params.workflow)
    after = _after(params, before)
    approvals = count(params.approvals)
    who = "whoever asks" if params.always else "unless a member with Execute asks"
    return Description(
        sentence=format_html(
            "<b>{}</b> asks that <b>{}</b> takes <b>{}</b>, {}. A request then stays open for {} hours.",
            change.initiator_label,
            params.workflow.title,
            approvals,
            who,
            params.open_hours,
        ),
        facts=consequences(change, params.workflow, after),
        panel=(Fact("Policy", params.workflow.title), Fact("Asks for", f"{approvals}, {who}")),
        changes=compared(before, after) if change.is_open else (),
        notices=_loosened(before, after),
    )


def _describe_remove(change: "ChangeRequest") -> Description:
    params = payload.decode(RemovePolicy, change.params)
    return Description(
        sentence=format_html(
            "<b>{}</b> asks to remove the policy of <b>{}</b>.", change.initiator_label, params.workflow.title
        ),
        facts=consequences(change, params.workflow, None),
        panel=(Fact("Policy", params.workflow.title), Fact("Asks for", "nothing any more")),
        changes=compared(_before(change, params.workflow), None),
        notices=(
            Notice(
                "wait",
                "This takes a safeguard away.",
                f"{meaning(None, always=False)} What waits now keeps the approvals it was opened with.",
            ),
            *freed(change, params.workflow, None),
        ),
    )


def _configured(*, params: ConfigurePolicy, change: "ChangeRequest") -> tuple[Touched, ...]:
    # A lock stays, and binds what was asked before it (P4): it is not written over.
    return written(change, params.workflow, _after(params, None), fields=TERMS)


def _removed(*, params: RemovePolicy, change: "ChangeRequest") -> tuple[Touched, ...]:
    return written(change, params.workflow, None)


@operation(
    "policies.configure_policy",
    title="Configure a policy",
    workflow=Workflow.MANAGE_POLICIES,
    params=ConfigurePolicy,
    subject=lambda params: params.workflow.value,
    headline=lambda params: Headline(
        f"Ask for {count(params.approvals)} on {params.workflow.title}{', always' if params.always else ''}"
    ),
    describe=_describe_configure,
    protection=lock_protection.CONFIGURE,
    protected=lambda params, facts: of_a_lock(params.workflow, facts),
    least=lambda params, facts, initiator: least_to_configure(facts, _then(params, facts), initiator),
    touches=_configured,
)
def configure_policy(*, actor: Actor, params: ConfigurePolicy, change: "ChangeRequest") -> Policy:
    """Set what a workflow asks for, whether or not it had a policy. A lock on it stays.

    Raises: Invalid for a number out of range.
    """
    if not 1 <= params.approvals <= MAX_APPROVALS:
        raise Invalid(f"Between 1 and {MAX_APPROVALS} approvals.", field="approvals")
    if not MIN_OPEN_HOURS <= params.open_hours <= MAX_OPEN_HOURS:
        raise Invalid(f"Between {MIN_OPEN_HOURS} and {MAX_OPEN_HOURS} hours.", field="open_hours")
    policy, _ = Policy.objects.update_or_create(
        organization_id=change.organization_id,
        workflow=params.workflow.value,
        defaults={
            "approvals": params.approvals,
            "always": params.always,
            "open_hours": params.open_hours,
            "changed_at": timezone.now(),
        },
    )
    record(
        EventKind.POLICY_CONFIGURED,
        actor=actor,
        subject=policy,
        organization_id=change.organization_id,
        governs=params.workflow.value,
        approvals=params.approvals,
        always=params.always,
        open_hours=params.open_hours,
        change=change.reference,
    )
    return policy


@operation(
    "policies.remove_policy",
    title="Remove a policy",
    workflow=Workflow.MANAGE_POLICIES,
    params=RemovePolicy,
    subject=lambda params: params.workflow.value,
    headline=lambda params: Headline(f"Remove the policy of {params.workflow.title}"),
    describe=_describe_remove,
    protection=lock_protection.REMOVE,
    protected=lambda params, facts: of_a_lock(params.workflow, facts),
    frees=lambda params, facts: freed_by_removal(params.workflow, facts),
    weighs_bots=True,
    touches=_removed,
)
def remove_policy(*, actor: Actor, params: RemovePolicy, change: "ChangeRequest") -> None:
    """Let a workflow ask for nothing any more.

    Raises: Conflict if it has no policy.
    """
    policy = Policy.objects.filter(organization_id=change.organization_id, workflow=params.workflow.value).first()
    if policy is None:
        raise Conflict(f"{params.workflow.title} has no policy.")
    record(
        EventKind.POLICY_REMOVED,
        actor=actor,
        subject=policy,
        organization_id=change.organization_id,
        governs=params.workflow.value,
        change=change.reference,
    )
    policy.delete()


def _before(change: "ChangeRequest", workflow: Workflow) -> Terms | None:
    return terms(standing(change, workflow)) if change.is_open else None


def _after(params: ConfigurePolicy, before: Terms | None) -> Terms:
    """What the policy would say; a lock stays."""
    kept = bool(before and before.is_locked)
    return Terms(params.workflow, params.approvals, params.always, params.open_hours, kept)


def _then(params: ConfigurePolicy, facts: Facts) -> Terms:
    """The policy as it would be, for the rules; a lock stays."""
    kept = is_locked(facts.policies, params.workflow)
    return Terms(params.workflow, params.approvals, params.always, params.open_hours, kept)


def _loosened(before: Terms | None, after: Terms) -> tuple[Notice, ...]:
    if before is None or (after.approvals >= before.approvals and after.always >= before.always):
        return ()
    return (
        Notice(
            "wait",
            "This asks for less than now.",
            "What waits already keeps the approvals it was opened with; what is asked afterwards needs fewer.",
        ),
    )
