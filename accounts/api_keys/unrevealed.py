"""Secrets that wait to be revealed by the one person who can, until they die (DESIGN K2)."""

from django.db.models import QuerySet
from django.utils import timezone

from accounts.api_keys import lifecycle
from accounts.models import ApiKey, Member
from accounts.models.api_key import CLAIM_WITHIN
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor


def to_reveal(member: Member) -> list[ApiKey]:
    """The keys that `member` asked for and has not revealed yet, the one that dies first first."""
    return list(_unrevealed(member).filter(service_user__removed_at=None).order_by("created_at", "pk"))


def end_of(member: Member, *, actor: Actor, reason: str) -> int:
    """Revoke every key that only `member` could reveal, and say how many: nobody else can, nor they once they return.

    Runs in the caller's transaction, which holds the history.
    """
    found = list(_unrevealed(member).order_by("pk").select_for_update(of=("self",)))
    for key in found:
        lifecycle.revoke(key, at=timezone.now())
        record(
            EventKind.KEY_REVOKED,
            actor=actor,
            subject=key,
            organization_id=member.organization_id,
            workflow=Workflow.MANAGE_ACCESS,
            bot=key.service_user.name,
            reason=reason,
        )
    return len(found)


def _unrevealed(member: Member) -> QuerySet[ApiKey]:
    since = timezone.now() - CLAIM_WITHIN
    made = ApiKey.objects.select_related("service_user").filter(made_by=member, created_at__gt=since)
    return made.filter(revealed_at=None, revoked_at=None)
