"""Letting a workflow ask for nothing any more (DESIGN P1, P2)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.html import format_html

from policies import payload
from policies.models import Policy
from policies.operations.policy_words import (
    consequences,
    freed,
    freed_by_removal,
    of_a_lock,
    standing,
    terms,
    written,
)
from policies.operations.rule_changes import changed
from policies.registry import Headline, Touched, operation
from policies.rules import lock_protection
from policies.rules.stages import meaning
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.display.descriptions import Description, Fact, Notice
from portal.core.errors import Conflict

if TYPE_CHECKING:
    from policies.models import ChangeRequest


@dataclass(frozen=True, slots=True)
class RemovePolicy:
    """The workflow that shall ask for nothing any more."""

    workflow: Workflow


def _describe_remove(change: "ChangeRequest") -> Description:
    params = payload.decode(RemovePolicy, change.params)
    return Description(
        sentence=format_html(
            "<b>{}</b> asks to remove the policy of <b>{}</b>.", change.initiator_label, params.workflow.title
        ),
        facts=consequences(change, params.workflow, None),
        panel=(Fact("Policy", params.workflow.title), Fact("Asks for", "nothing any more")),
        changes=changed(change, terms(standing(change, params.workflow)), None) if change.is_open else (),
        notices=(
            Notice(
                "wait",
                "This takes a safeguard away.",
                f"{meaning(None, always=False)} What waits now keeps the approvals it was opened with.",
            ),
            *freed(change, params.workflow, None),
        ),
    )


def _removed(*, params: RemovePolicy, change: "ChangeRequest") -> tuple[Touched, ...]:
    return written(change, params.workflow, None)


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
