"""What belongs to the Organization as a whole: its 2FA level, its session limits, its Accounts (DESIGN O4, O5)."""

from dataclasses import dataclass, replace

from django.utils import timezone
from django.utils.html import format_html

from accounts.models import Account, Organization
from accounts.models.organization import MAX_ABSOLUTE_HOURS, MAX_IDLE_MINUTES, MIN_IDLE_MINUTES, SecondFactorLevel
from accounts.organizations import sign_in_rules
from accounts.organizations.sign_in_rules import Security
from policies import notes, registry
from policies.models import ChangeRequest
from policies.payload import decode
from policies.registry import Headline, Touched, always_protected, operation
from policies.rules import lock_protection
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.display.descriptions import Description, Fact, FieldChange, Notice
from portal.core.display.lookalikes import look
from portal.core.errors import Conflict, Invalid

ACCOUNT_NAME_LENGTH = 40


@dataclass(frozen=True, slots=True)
class ChangeSecurity:
    """Other terms of signing in. `before` is what the approvers were shown: if it no longer holds, nothing changes."""

    before: Security
    after: Security


@dataclass(frozen=True, slots=True)
class AddAccount:
    """The name of a new Account."""

    name: str
    venue: str = "paper"


def check_security(*, actor: Actor, params: ChangeSecurity, change: ChangeRequest) -> None:
    """Raises: Invalid beside what is out of range; Conflict if other terms hold by now."""
    after = params.after
    if not MIN_IDLE_MINUTES <= after.idle_minutes <= MAX_IDLE_MINUTES:
        raise Invalid(f"{MIN_IDLE_MINUTES} to {MAX_IDLE_MINUTES} minutes.", field="idle_minutes")
    if not 1 <= after.absolute_hours <= MAX_ABSOLUTE_HOURS:
        raise Invalid(f"1 to {MAX_ABSOLUTE_HOURS} hours.", field="absolute_hours")
    if sign_in_rules.of(_organization(change)) != params.before:
        raise Conflict("The terms of signing in were changed since this was asked. Look again, and ask anew.")
    if params.before == after:
        raise Invalid("Nothing would change.")


def check_account(*, actor: Actor, params: AddAccount, change: ChangeRequest) -> None:
    """Raises: Invalid for a name that is empty, too long or taken."""
    if not params.name or notes.clean(params.name, field="name", max_length=ACCOUNT_NAME_LENGTH) != params.name:
        raise Invalid("Give the Account a name without space at its ends.", field="name")
    known = Account.objects.filter(organization_id=change.organization_id).values_list("name", flat=True)
    if any(look(name) == look(params.name) for name in known):
        raise Invalid(f"There is an Account named {params.name} already, or one like it. Choose another.", field="name")


def describe_security(change: ChangeRequest) -> Description:
    """Before and after, and whom it reaches."""
    params: ChangeSecurity = decode(registry.get(change.operation).params, change.params)
    before, after = params.before, params.after
    rows = (
        ("Sign-in 2FA level", before.level.label, after.level.label, after.is_lower_than(before)),
        (
            "Ends without activity",
            f"after {before.idle_minutes} minutes",
            f"after {after.idle_minutes} minutes",
            after.idle_minutes > before.idle_minutes,
        ),
        (
            "Ends in any case",
            f"after {before.absolute_hours} hours",
            f"after {after.absolute_hours} hours",
            after.absolute_hours > before.absolute_hours,
        ),
    )
    fields = tuple(FieldChange(label, old, new, grows) for label, old, new, grows in rows if old != new)
    effects = sign_in_rules.effects(change.organization, after.level) if before.level != after.level else ()
    short = [effect.name for effect in effects if not effect.meets]
    notices = (
        (
            Notice(
                "wait",
                f"{len(short)} of {len(effects)} members do not meet the new level.",
                f"{', '.join(short)}: led to enrolment at their next page, and can do and approve nothing before.",
            ),
        )
        if short
        else ()
    )
    return Description(
        sentence=format_html(
            "<b>{}</b> asks to change how members of <b>{}</b> sign in.",
            change.initiator_label,
            change.organization.name,
        ),
        facts=tuple(Fact(effect.name, effect.words) for effect in effects),
        panel=(
            *(Fact(field.field, field.after) for field in fields),
            Fact("Asked by", change.initiator_label),
        ),
        changes=fields,
        notices=notices,
    )


def describe_account(change: ChangeRequest) -> Description:
    """The request for another Account in words, with whose rights reach into it."""
    params: AddAccount = decode(registry.get(change.operation).params, change.params)
    return Description(
        sentence=format_html(
            "<b>{}</b> asks to add the Account <b>{}</b>, with balances of its own.",
            change.initiator_label,
            params.name,
        ),
        facts=(
            Fact("Name", params.name),
            Fact("Venue", params.venue),
            Fact("Rights", "whoever holds a right for all Accounts holds it here too"),
        ),
        panel=(Fact("Add Account", params.name), Fact("Asked by", change.initiator_label)),
    )


def touched_security(*, params: ChangeSecurity, change: ChangeRequest) -> tuple[Touched, ...]:
    """The terms of signing in as they are now, beside what they shall be."""
    now = sign_in_rules.of(change.organization)
    return (
        Touched("Sign-in 2FA level", now.level.label, params.after.level.label),
        Touched("Ends without activity, minutes", str(now.idle_minutes), str(params.after.idle_minutes)),
        Touched("Ends in any case, hours", str(now.absolute_hours), str(params.after.absolute_hours)),
    )


def touched_account(*, params: AddAccount, change: ChangeRequest) -> tuple[Touched, ...]:
    """Whether an Account of that name is there already, in any case of letters."""
    taken = Account.objects.filter(organization_id=change.organization_id, name__iexact=params.name).exists()
    return (Touched(f"Account {params.name}", "there already" if taken else "none", "there"),)


@operation(
    "accounts.change_security",
    title="Change 2FA level and session limits",
    workflow=Workflow.MANAGE_ACCESS,
    params=ChangeSecurity,
    subject=lambda _params: "organization:security",
    headline=lambda params: Headline(_security_title(params)),
    describe=describe_security,
    opened=check_security,
    protection=lock_protection.SIGN_IN,
    protected=lambda params, _facts: params.after.is_lower_than(params.before),
    touches=touched_security,
    renewed=lambda params, change: replace(params, before=sign_in_rules.of(change.organization)),
)
def change_security(*, actor: Actor, params: ChangeSecurity, change: ChangeRequest) -> Organization:
    """Set the 2FA level and the session limits; they count for who is signed in from their next request on.

    Raises: as `check_security`.
    """
    check_security(actor=actor, params=params, change=change)
    organization = _organization(change)
    organization.second_factor_level = params.after.level
    organization.idle_minutes = params.after.idle_minutes
    organization.absolute_hours = params.after.absolute_hours
    organization.save(update_fields=["second_factor_level", "idle_minutes", "absolute_hours"])
    record(
        EventKind.SECURITY_CHANGED,
        actor=actor,
        subject=organization,
        organization_id=organization.pk,
        workflow=Workflow.MANAGE_ACCESS,
        change=change.reference,
        level=params.after.level.value,
        level_before=params.before.level.value,
        idle_minutes=params.after.idle_minutes,
        absolute_hours=params.after.absolute_hours,
    )
    return organization


@operation(
    "accounts.add_account",
    title="Add an Account",
    workflow=Workflow.MANAGE_ACCESS,
    params=AddAccount,
    subject=lambda params: f"account:{params.name.lower()}",
    headline=lambda params: Headline(f"Add the Account {params.name}"),
    describe=describe_account,
    opened=check_account,
    protection=lock_protection.ACCOUNT,
    protected=always_protected,
    touches=touched_account,
)
def add_account(*, actor: Actor, params: AddAccount, change: ChangeRequest) -> Account:
    """Open another set of segregated balances.

    Raises: as `check_account`.
    """
    check_account(actor=actor, params=params, change=change)
    account = Account.objects.create(
        organization_id=change.organization_id, name=params.name, venue=params.venue, created_at=timezone.now()
    )
    record(
        EventKind.ACCOUNT_ADDED,
        actor=actor,
        subject=account,
        organization_id=change.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        change=change.reference,
        venue=params.venue,
    )
    return account


def _organization(change: ChangeRequest) -> Organization:
    return Organization.objects.select_for_update(no_key=True).get(pk=change.organization_id)


def _security_title(params: ChangeSecurity) -> str:
    if params.before.level == params.after.level:
        return "Change the session limits"
    return f"Sign in with {SecondFactorLevel(params.after.level).label.lower()}"
