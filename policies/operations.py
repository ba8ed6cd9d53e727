"""Governing the rules themselves: what a workflow asks for changes by request like everything else (DESIGN §4)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils import timezone
from django.utils.html import format_html

from policies import payload
from policies.models import Policy
from policies.models.policy import DEFAULT_OPEN_HOURS, MAX_APPROVALS, MAX_OPEN_HOURS, MIN_OPEN_HOURS
from policies.registry import Headline, operation
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.describing import Description, Fact, FieldChange, Notice
from portal.core.errors import Conflict, Invalid

if TYPE_CHECKING:
    from policies.models import ChangeRequest

SAFEGUARDS: Final = ("Approvals", "Always require approval")
FIELDS: Final = (*SAFEGUARDS, "Stays open, hours")


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


def stage(approvals: int | None, always: bool) -> str:
    """Where a workflow stands (DESIGN P6): without a policy, with one, or with one that binds everybody."""
    return "bootstrap" if approvals is None else "enforced" if always else "configured"


def meaning(approvals: int | None, always: bool) -> str:
    """What that asks of people, in one sentence."""
    if approvals is None:
        return "Members with Execute finish alone; everyone else waits for one approval."
    count = "one approval" if approvals == 1 else f"{approvals} approvals"
    if always:
        return f"Every request waits for {count}, whoever asks."
    return f"Members with Execute finish alone; everyone else waits for {count}."


def _describe_configure(change: "ChangeRequest") -> Description:
    params = payload.decode(ConfigurePolicy, change.params)
    count = _count(params.approvals)
    who = "whoever asks" if params.always else "unless a member with Execute asks"
    return Description(
        sentence=format_html(
            "<b>{}</b> asks that <b>{}</b> takes <b>{}</b>, {}. A request then stays open for {} hours.",
            change.initiator_label,
            params.workflow.title,
            count,
            who,
            params.open_hours,
        ),
        facts=(),
        panel=(Fact("Policy", params.workflow.title), Fact("Asks for", f"{count}, {who}")),
        changes=_compared(change, params),
        notices=_loosened(change, params),
    )


def _describe_remove(change: "ChangeRequest") -> Description:
    params = payload.decode(RemovePolicy, change.params)
    return Description(
        sentence=format_html(
            "<b>{}</b> asks to remove the policy of <b>{}</b>.", change.initiator_label, params.workflow.title
        ),
        facts=(),
        panel=(Fact("Policy", params.workflow.title), Fact("Asks for", "nothing any more")),
        changes=_compared(change, None, params.workflow),
        notices=(
            Notice(
                "wait",
                "This takes a safeguard away.",
                f"{meaning(None, always=False)} What waits now keeps the approvals it was opened with.",
            ),
        ),
    )


@operation(
    "policies.configure_policy",
    title="Configure a policy",
    workflow=Workflow.MANAGE_POLICIES,
    params=ConfigurePolicy,
    subject=lambda params: params.workflow.value,
    headline=lambda params: Headline(
        f"Ask for {_count(params.approvals)} on {params.workflow.title}{', always' if params.always else ''}"
    ),
    describe=_describe_configure,
)
def configure_policy(*, actor: Actor, params: ConfigurePolicy, change: "ChangeRequest") -> Policy:
    """Set what a workflow asks for, whether or not it had a policy.

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


def _standing(change: "ChangeRequest", workflow: Workflow) -> Policy | None:
    """The policy as it stands; for a request that has ended there is no saying what it was before."""
    return Policy.objects.filter(organization_id=change.organization_id, workflow=workflow.value).first()


def _compared(
    change: "ChangeRequest", after: ConfigurePolicy | None, workflow: Workflow | None = None
) -> tuple[FieldChange, ...]:
    subject = after.workflow if after else workflow
    if not change.is_open or subject is None:
        return ()
    now = _standing(change, subject)
    rows = tuple(zip(FIELDS, _values(now), _values(after), strict=True))
    return tuple(
        FieldChange(label, _word(before), _word(value), grows=label in SAFEGUARDS and (value or 0) < (before or 0))
        for label, before, value in rows
        if before != value
    )


def _loosened(change: "ChangeRequest", params: ConfigurePolicy) -> tuple[Notice, ...]:
    now = _standing(change, params.workflow) if change.is_open else None
    if now is None or (params.approvals >= now.approvals and params.always >= now.always):
        return ()
    return (
        Notice(
            "wait",
            "This asks for less than now.",
            "What waits already keeps the approvals it was opened with; what is asked afterwards needs fewer.",
        ),
    )


def _values(terms: Policy | ConfigurePolicy | None) -> tuple[int | bool | None, ...]:
    return (terms.approvals, terms.always, terms.open_hours) if terms else (None, None, None)


def _word(value: int | bool | None) -> str:
    if value is None:
        return "none"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _count(number: int) -> str:
    return "one approval" if number == 1 else f"{number} approvals"
