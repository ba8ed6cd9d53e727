"""Locking a policy, so that only others' approval changes it, and unlocking it (DESIGN P3, P4)."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.html import format_html

from policies import payload
from policies.models import Policy
from policies.operations.policy_words import RULES, SAFEGUARDS, consequences, count, of_a_lock, standing, terms, written
from policies.operations.rule_changes import rule_facts
from policies.registry import Headline, Touched, operation
from policies.rules import Terms, lock_protection
from policies.rules.binding_changes import least_to_lock
from policies.rules.stages import meaning_of
from policies.snapshot.stored_rules import digest_of, read_rules
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.display.descriptions import Description, Fact, FieldChange, Notice
from portal.core.errors import Conflict

if TYPE_CHECKING:
    from policies.models import ChangeRequest


@dataclass(frozen=True, slots=True)
class LockPolicy:
    """The workflow, and what its policy said when this was asked: only that is locked, nothing weaker.

    `rules` is the digest of its rules, whatever order they are in; empty without any.
    """

    workflow: Workflow
    approvals: int
    always: bool
    rules: str = payload.added("")


@dataclass(frozen=True, slots=True)
class UnlockPolicy:
    """The workflow whose policy may be changed by its own rules again."""

    workflow: Workflow


def check_lock(*, actor: Actor, params: LockPolicy, change: "ChangeRequest") -> None:
    """Raises: Conflict without a policy, if it is locked already, or if it says something else by now."""
    policy = _policy(change, params.workflow)
    if policy.is_locked:
        raise Conflict(f"The policy of {params.workflow.title} is locked already.")
    if pinned(policy) != params:
        raise Conflict(
            f"The policy of {params.workflow.title} was changed since this was asked. Look at it, and ask anew."
        )


def pinned(policy: Policy) -> LockPolicy:
    """What asks to lock a policy as it stands."""
    stands = read_rules(policy.rules)
    if stands is None:
        raise Conflict(f"The rules of {Workflow(policy.workflow).title} cannot be read. Configure that policy again.")
    return LockPolicy(Workflow(policy.workflow), policy.approvals, policy.always, digest_of(stands))


def check_unlock(*, actor: Actor, params: UnlockPolicy, change: "ChangeRequest") -> None:
    """Raises: Conflict without a policy, or if it is not locked."""
    if not _policy(change, params.workflow).is_locked:
        raise Conflict(f"The policy of {params.workflow.title} is not locked.")


def _describe_lock(change: "ChangeRequest") -> Description:
    params = payload.decode(LockPolicy, change.params)
    stands = terms(standing(change, params.workflow))
    rules = (stands.rules if stands else None) or ()
    says = meaning_of(params.approvals, always=params.always, rules=rules)
    return Description(
        sentence=format_html(
            "<b>{}</b> asks to lock the policy of <b>{}</b>. Whoever asks to change it then needs the approval of "
            "others, and so does whatever gives anybody power.",
            change.initiator_label,
            params.workflow.title,
        ),
        facts=(
            Fact("Policy", says),
            *rule_facts(change, rules),
            *_consequences(change, params.workflow, is_locked=True),
        ),
        panel=(Fact("Lock", params.workflow.title), Fact("Asks for", says)),
        changes=(FieldChange("Locked", "no", "yes"),),
        notices=(
            Notice(
                "wait",
                f"This is hard to take back: it then takes {count(params.approvals)} or more.",
                "As many are needed to unlock it, to invite somebody with rights, to give rights, to reset the factors "
                "of who holds rights, and to make keys that may withdraw.",
            ),
        ),
    )


def _describe_unlock(change: "ChangeRequest") -> Description:
    params = payload.decode(UnlockPolicy, change.params)
    return Description(
        sentence=format_html(
            "<b>{}</b> asks to unlock the policy of <b>{}</b>.", change.initiator_label, params.workflow.title
        ),
        facts=_consequences(change, params.workflow, is_locked=False),
        panel=(Fact("Unlock", params.workflow.title), Fact("Asked by", change.initiator_label)),
        changes=(FieldChange("Locked", "yes", "no", grows=True),),
        notices=(
            Notice(
                "wait",
                "This takes a safeguard away.",
                "The policy stays as it is, but Manage Policies alone then says who may change it.",
            ),
        ),
    )


def _consequences(change: "ChangeRequest", workflow: Workflow, *, is_locked: bool) -> tuple[Fact, ...]:
    now = terms(standing(change, workflow))
    return consequences(change, workflow, replace(now, is_locked=is_locked)) if now else ()


def _touched_by_lock(*, params: LockPolicy, change: "ChangeRequest") -> tuple[Touched, ...]:
    stands = terms(standing(change, params.workflow))
    wanted = Terms(params.workflow, params.approvals, params.always, 0, True, stands.rules if stands else ())
    return written(change, params.workflow, wanted, fields=(*SAFEGUARDS, RULES))


def _touched_by_unlock(*, params: UnlockPolicy, change: "ChangeRequest") -> tuple[Touched, ...]:
    wanted = Terms(params.workflow, 0, always=False, open_hours=0, is_locked=False)
    return written(change, params.workflow, wanted, fields=("Locked",))


def _renewed_lock(params: LockPolicy, change: "ChangeRequest") -> LockPolicy:
    return pinned(_policy(change, params.workflow))


@operation(
    "policies.lock_policy",
    title="Lock a policy",
    workflow=Workflow.MANAGE_POLICIES,
    params=LockPolicy,
    subject=lambda params: params.workflow.value,
    headline=lambda params: Headline(f"Lock the policy of {params.workflow.title}"),
    describe=_describe_lock,
    opened=check_lock,
    least=lambda params, facts, initiator: least_to_lock(facts, params.workflow, initiator),
    touches=_touched_by_lock,
    renewed=_renewed_lock,
    protection=lock_protection.LOCK,
)
def lock_policy(*, actor: Actor, params: LockPolicy, change: "ChangeRequest") -> Policy:
    """Let only others' approval change this policy from now on.

    Raises: Conflict as `check_lock`.
    """
    check_lock(actor=actor, params=params, change=change)
    return _set(change, params.workflow, actor, locked=True)


@operation(
    "policies.unlock_policy",
    title="Unlock a policy",
    workflow=Workflow.MANAGE_POLICIES,
    params=UnlockPolicy,
    subject=lambda params: params.workflow.value,
    headline=lambda params: Headline(f"Unlock the policy of {params.workflow.title}"),
    describe=_describe_unlock,
    opened=check_unlock,
    touches=_touched_by_unlock,
    protection=lock_protection.UNLOCK,
    protected=lambda params, facts: of_a_lock(params.workflow, facts),
)
def unlock_policy(*, actor: Actor, params: UnlockPolicy, change: "ChangeRequest") -> Policy:
    """Let a policy be changed by what Manage Policies asks for alone.

    Raises: Conflict as `check_unlock`.
    """
    check_unlock(actor=actor, params=params, change=change)
    return _set(change, params.workflow, actor, locked=False)


def _policy(change: "ChangeRequest", workflow: Workflow) -> Policy:
    policy = standing(change, workflow)
    if policy is None:
        raise Conflict(f"{workflow.title} has no policy. Configure one first.")
    return policy


def _set(change: "ChangeRequest", workflow: Workflow, actor: Actor, *, locked: bool) -> Policy:
    policy = _policy(change, workflow)
    policy.is_locked, policy.changed_at = locked, timezone.now()
    policy.save(update_fields=["is_locked", "changed_at"])
    record(
        EventKind.POLICY_LOCKED if locked else EventKind.POLICY_UNLOCKED,
        actor=actor,
        subject=policy,
        organization_id=change.organization_id,
        governs=workflow.value,
        approvals=policy.approvals,
        always=policy.always,
        change=change.reference,
    )
    return policy
