"""Giving rights and taking them (DESIGN M4)."""

from dataclasses import dataclass, replace

from django.db.models import F
from django.utils.html import format_html

from accounts import grants
from accounts.authentication import session_store
from accounts.grants import Rights
from accounts.members import invitations
from accounts.models import Member
from accounts.request_members import find, name_of, refuse_owner
from policies import access, changes, registry
from policies.models import ChangeRequest
from policies.payload import decode
from policies.registry import Headline, Touched, operation
from policies.rules import lock_protection
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.display.descriptions import Description, Fact, FieldChange, Notice
from portal.core.errors import Conflict, Invalid


@dataclass(frozen=True, slots=True)
class ChangeRights:
    """Other rights of a Member. `before` is what the approvers were shown: if it no longer holds, nothing changes."""

    member_id: int
    before: Rights
    after: Rights


def check_rights(*, actor: Actor, params: ChangeRights, change: ChangeRequest) -> None:
    """Raises: Refused for the Owner; Conflict if they hold others by now; Invalid for what cannot be given."""
    member = find(change, params.member_id)
    refuse_owner(member)
    grants.check(params.after, organization_id=change.organization_id)
    if grants.of(member) != params.before:
        raise Conflict(f"The rights of {member.label} were changed since this was asked. Look again, and ask anew.")
    if params.before == params.after:
        raise Invalid("Nothing would change.", field="rights")


def describe_rights(change: ChangeRequest) -> Description:
    """Workflow by workflow, before and after."""
    params: ChangeRights = decode(registry.get(change.operation).params, change.params)
    name = change.title.removeprefix("Change the rights of ")
    accounts = grants.account_names(change.organization_id)
    gained = grants.gained(params.before, params.after)
    fields = tuple(
        FieldChange(workflow.title, _held(params.before, workflow, accounts), after, grows=_any(gained, workflow))
        for workflow in Workflow
        if (after := _held(params.after, workflow, accounts)) != _held(params.before, workflow, accounts)
    )
    panel = (
        Fact("Rights of", name),
        Fact("Gains", ", ".join(grants.in_words(gained, accounts)) or "nothing"),
        Fact("Holds then", ", ".join(grants.in_words(params.after, accounts)) or "nothing"),
        Fact("Asked by", change.initiator_label),
    )
    notices = (Notice("wait", f"{name} would get more power than now.", "Approve it only if you know them and why."),)
    return Description(
        sentence=format_html("<b>{}</b> asks to change what <b>{}</b> may do.", change.initiator_label, name),
        facts=(Fact("Member", name), Fact("In the same moment", "all their sessions end; they sign in again")),
        panel=panel,
        changes=fields,
        notices=notices if gained else (),
    )


def touched_rights(*, params: ChangeRights, change: ChangeRequest) -> tuple[Touched, ...]:
    """Workflow by workflow: a Member's rights are given as a whole."""
    member = Member.objects.filter(organization_id=change.organization_id, pk=params.member_id).first()
    now = grants.of(member) if member else ()
    accounts = grants.names(now, params.after)
    return tuple(
        Touched(
            workflow.title,
            _held(now, workflow, accounts),
            _held(params.after, workflow, accounts),
            # The words can change while the rights do not: an Account is renamed, or a version says them otherwise.
            mark=grants.fingerprint(tuple(one for one in now if one.workflow is workflow)),
        )
        for workflow in Workflow
    )


def renewed_rights(params: ChangeRights, _change: ChangeRequest) -> ChangeRights:
    """The same rights wanted, seen from those held now."""
    member = Member.objects.filter(pk=params.member_id).first()
    return replace(params, before=grants.of(member) if member else ())


@operation(
    "accounts.change_rights",
    title="Change rights",
    workflow=Workflow.MANAGE_ACCESS,
    params=ChangeRights,
    subject=lambda params: f"member:{params.member_id}",
    subject_member=lambda params: params.member_id,
    headline=lambda params: Headline(f"Change the rights of {name_of(params.member_id)}"),
    describe=describe_rights,
    opened=check_rights,
    protection=lock_protection.RIGHTS,
    protected=lambda params, _facts: grants.give_power(grants.gained(params.before, params.after)),
    takes_power=lambda params: (
        bool(grants.gained(params.after, params.before)) and not grants.gained(params.before, params.after)
    ),
    touches=touched_rights,
    renewed=renewed_rights,
)
def change_rights(*, actor: Actor, params: ChangeRights, change: ChangeRequest) -> Member:
    """Give a Member exactly the rights in `after`; their sessions end, and what they may no longer ask is cancelled.

    Raises: as `check_rights`.
    """
    check_rights(actor=actor, params=params, change=change)
    member = find(change, params.member_id)
    grants.give(member, params.after)
    Member.objects.filter(pk=member.pk).update(version=F("version") + 1)
    accounts = grants.names(params.before, params.after)
    record(
        EventKind.RIGHTS_CHANGED,
        actor=actor,
        subject=member,
        organization_id=change.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        change=change.reference,
        before=list(grants.in_words(params.before, accounts)),
        after=list(grants.in_words(params.after, accounts)),
    )
    changes.cancel_unrightful(initiator=member, actor=actor)
    if not access.allows(member, Workflow.MANAGE_ACCESS, Right.INITIATE):
        invitations.end_of(member, actor=actor, reason=f"{member.label}, who invited them, may not invite any more.")
    session_store.end_member(member, reason="The rights were changed.")
    return member


def _held(held: Rights, workflow: Workflow, accounts: dict[int, str]) -> str:
    return grants.words(held, workflow, accounts) or "nothing"


def _any(held: Rights, workflow: Workflow) -> bool:
    return any(one.workflow is workflow for one in held)
