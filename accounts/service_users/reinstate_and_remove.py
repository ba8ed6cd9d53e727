"""Lifting a Service User's suspension, and removing one for good."""

from django.db.models import F
from django.utils import timezone

from accounts.emergency_stop import resume
from accounts.emergency_stop.given_back import read_ahead, withdrawing_accounts
from accounts.models import ApiKey, ServiceUser
from accounts.service_users import descriptions, stale_fields
from accounts.service_users.create_and_change import find
from accounts.service_users.params import LiftSuspension, RemoveServiceUser
from policies import changes
from policies.models import ChangeRequest
from policies.registry import Headline, operation, takes_all
from policies.rules import Bot, lock_protection
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.errors import Conflict


def check_lift(*, actor: Actor, params: LiftSuspension, change: ChangeRequest) -> None:
    """Raises: Conflict if the bot is not suspended."""
    bot = find(change, params.service_user_id)
    if bot.suspended_at is None:
        raise Conflict(f"{bot.name} is not suspended.")


def check_removal(*, actor: Actor, params: RemoveServiceUser, change: ChangeRequest) -> None:
    """Raises: NotFound if the bot is gone already."""
    find(change, params.service_user_id)


@operation(
    "accounts.lift_suspension",
    title="Lift suspension",
    workflow=Workflow.MANAGE_ACCESS,
    params=LiftSuspension,
    subject=lambda params: f"service_user:{params.service_user_id}",
    headline=lambda params: Headline(f"Lift suspension of {descriptions.name_of(params.service_user_id)}"),
    describe=descriptions.lifting,
    opened=check_lift,
    approvers_ask=True,
    touches=stale_fields.by_lifting,
    gives_withdraw=withdrawing_accounts,
    reads_ahead=read_ahead,
    # Its keys may withdraw again: that is making them anew.
    protection=lock_protection.LIFT_BOT,
    protected=lambda params, facts: _may_withdraw(facts.bot(params.service_user_id)),
    weighs_bots=True,
)
def lift_suspension(*, actor: Actor, params: LiftSuspension, change: ChangeRequest) -> ServiceUser:
    """Let a suspended bot's keys work again; what it had asked for stays cancelled.

    Raises: Conflict as `check_lift`.
    """
    check_lift(actor=actor, params=params, change=change)
    bot = find(change, params.service_user_id)
    resume.resume_bot(bot, actor=actor, reference=change.reference)
    return bot


def _may_withdraw(bot: Bot | None) -> bool:
    return bot is not None and bot.holds_withdraw


@operation(
    "accounts.remove_service_user",
    title="Remove Service User",
    workflow=Workflow.MANAGE_ACCESS,
    params=RemoveServiceUser,
    subject=lambda params: f"service_user:{params.service_user_id}",
    headline=lambda params: Headline(f"Remove service user {descriptions.name_of(params.service_user_id)}"),
    describe=descriptions.removal,
    opened=check_removal,
    takes_power=takes_all,
    touches=stale_fields.by_removal,
    protection=lock_protection.TAKE_KEY,
)
def remove_service_user(*, actor: Actor, params: RemoveServiceUser, change: ChangeRequest) -> ServiceUser:
    """End a bot: its keys are revoked and what it asked for is cancelled. Its history stays.

    Raises: NotFound if it is gone already.
    """
    bot = find(change, params.service_user_id)
    now = timezone.now()
    changes.cancel_all(initiator=bot, reason=f"{bot.name} was removed.", actor=actor)
    bot.removed_at = now
    bot.version += 1
    bot.save(update_fields=["removed_at", "version"])
    ApiKey.objects.filter(service_user=bot, revoked_at=None).update(
        revoked_at=now, is_active=False, slot=None, version=F("version") + 1
    )
    record(
        EventKind.SERVICE_USER_REMOVED,
        actor=actor,
        subject=bot,
        organization_id=bot.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        change=change.reference,
    )
    return bot
