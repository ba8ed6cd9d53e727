"""Giving back what a stop took: a Member, a Service User, a key. For governed operations alone (DESIGN §4)."""

from django.db.models import F

from accounts.api_keys import lifecycle
from accounts.authentication import session_store
from accounts.models import ApiKey, Member, ServiceUser
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor


def resume_member(member: Member, *, actor: Actor, reference: str) -> None:
    """Let a suspended Member sign in again; nothing that was ended comes back."""
    Member.objects.filter(pk=member.pk).update(
        suspended_at=None, suspended_by=None, suspended_until=None, version=F("version") + 1
    )
    record(
        EventKind.MEMBER_RESUMED,
        actor=actor,
        subject=member,
        organization_id=member.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        change=reference,
    )
    # A sign-in that was under way when the suspension struck may have left a session behind.
    session_store.end_member(member, reason="The suspension was lifted.")


def resume_bot(bot: ServiceUser, *, actor: Actor, reference: str) -> None:
    """Let the keys of a suspended Service User work again, but for those that are paused."""
    bot.suspended_at = bot.suspended_by = None
    bot.version += 1
    bot.save(update_fields=["suspended_at", "suspended_by", "version"])
    lifecycle.touch(bot)
    record(
        EventKind.SERVICE_USER_RESUMED,
        actor=actor,
        subject=bot,
        organization_id=bot.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        change=reference,
    )


def resume_key(key: ApiKey, *, actor: Actor, reference: str) -> None:
    """Let a paused key do again what it could."""
    lifecycle.unpause(key)
    record(
        EventKind.KEY_RESUMED,
        actor=actor,
        subject=key,
        organization_id=key.service_user.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        bot=key.service_user.name,
        change=reference,
    )
