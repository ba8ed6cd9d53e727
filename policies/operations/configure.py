"""Setting what a workflow asks for: a number, or rules (DESIGN P1, P7)."""

from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.html import format_html

from policies import payload
from policies.models import Policy
from policies.models.policy import MAX_APPROVALS, MAX_OPEN_HOURS, MIN_OPEN_HOURS
from policies.operations.asked_rules import ConfigurePolicy, refuse_unfit
from policies.operations.policy_words import (
    TERMS,
    consequences,
    count,
    of_a_lock,
    standing,
    terms,
    written,
)
from policies.operations.rule_changes import changed, rule_facts, weaker
from policies.registry import Headline, Touched, operation
from policies.rules import Facts, Terms, is_locked, lock_protection
from policies.rules.binding_changes import least_to_configure
from policies.snapshot.stored_rules import written_rules
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.display.descriptions import Description, Fact, Notice
from portal.core.display.phrases import counted
from portal.core.errors import Invalid

if TYPE_CHECKING:
    from policies.models import ChangeRequest


def check_configure(*, actor: Actor, params: ConfigurePolicy, change: "ChangeRequest") -> None:
    """Raises: Invalid for a number out of range, or for rules that cannot be meant in this Organization."""
    if not 1 <= params.settled.approvals <= MAX_APPROVALS:
        raise Invalid(f"Between 1 and {MAX_APPROVALS} approvals.", field="approvals")
    if not MIN_OPEN_HOURS <= params.open_hours <= MAX_OPEN_HOURS:
        raise Invalid(f"Between {MIN_OPEN_HOURS} and {MAX_OPEN_HOURS} hours.", field="open_hours")
    if params.rules:
        stands = terms(standing(change, params.workflow))
        refuse_unfit(change.organization, params, standing=(stands.rules if stands else None) or ())


def _describe(change: "ChangeRequest") -> Description:
    params = payload.decode(ConfigurePolicy, change.params).settled
    before = terms(standing(change, params.workflow)) if change.is_open else None
    # A lock stays.
    after = params.terms(is_locked=bool(before and before.is_locked))
    asked, of_whom = _says(params)
    return Description(
        sentence=format_html(
            "<b>{}</b> asks that <b>{}</b> takes <b>{}</b>{}. A request then stays open for {} hours.",
            change.initiator_label,
            params.workflow.title,
            asked,
            of_whom,
            params.open_hours,
        ),
        facts=(*rule_facts(change, params.rules), *consequences(change, params.workflow, after)),
        panel=(Fact("Policy", params.workflow.title), Fact("Asks for", f"{asked}{of_whom}")),
        changes=changed(change, before, after) if change.is_open else (),
        notices=_loosened(before, after),
    )


def _says(params: ConfigurePolicy) -> tuple[str, str]:
    """What it asks, and of whom, in words."""
    if params.rules:
        return f"what {counted(len(params.rules), 'rule')} {'says' if len(params.rules) == 1 else 'say'}", ""
    return count(params.approvals), ", whoever asks" if params.always else ", unless a member with Execute asks"


def _headline(params: ConfigurePolicy) -> Headline:
    settled = params.settled
    if settled.rules:
        return Headline(f"Ask for {_says(settled)[0]} on {params.workflow.title}")
    return Headline(
        f"Ask for {count(settled.approvals)} on {params.workflow.title}{', always' if settled.always else ''}"
    )


def _touched(*, params: ConfigurePolicy, change: "ChangeRequest") -> tuple[Touched, ...]:
    # A lock stays, and binds what was asked before it (P4): it is not written over.
    return written(change, params.workflow, params.terms(is_locked=False), fields=TERMS)


@operation(
    "policies.configure_policy",
    title="Configure a policy",
    workflow=Workflow.MANAGE_POLICIES,
    params=ConfigurePolicy,
    subject=lambda params: params.workflow.value,
    headline=_headline,
    describe=_describe,
    opened=check_configure,
    protection=lock_protection.CONFIGURE,
    protected=lambda params, facts: of_a_lock(params.workflow, facts),
    least=lambda params, facts, initiator: least_to_configure(facts, _then(params, facts), initiator),
    touches=_touched,
)
def configure_policy(*, actor: Actor, params: ConfigurePolicy, change: "ChangeRequest") -> Policy:
    """Set what a workflow asks for, whether or not it had a policy. A lock on it stays.

    Raises: Invalid as `check_configure`.
    """
    check_configure(actor=actor, params=params, change=change)
    settled = params.settled
    policy, _ = Policy.objects.update_or_create(
        organization_id=change.organization_id,
        workflow=params.workflow.value,
        defaults={
            "approvals": settled.approvals,
            "always": settled.always,
            "open_hours": settled.open_hours,
            "rules": written_rules(settled.rules),
            "changed_at": timezone.now(),
        },
    )
    record(
        EventKind.POLICY_CONFIGURED,
        actor=actor,
        subject=policy,
        organization_id=change.organization_id,
        governs=params.workflow.value,
        approvals=settled.approvals,
        always=settled.always,
        open_hours=settled.open_hours,
        change=change.reference,
        **({"rules": policy.rules} if settled.rules else {}),
    )
    return policy


def _then(params: ConfigurePolicy, facts: Facts) -> Terms:
    """The policy as it would be, for the rules; a lock stays."""
    return params.terms(is_locked=is_locked(facts.policies, params.workflow))


def _loosened(before: Terms | None, after: Terms) -> tuple[Notice, ...]:
    if before is None or not weaker(before, after):
        return ()
    return (
        Notice(
            "wait",
            "This asks for less than now.",
            "What waits already keeps the approvals it was opened with; what is asked afterwards needs fewer.",
        ),
    )
