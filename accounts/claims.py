"""Secrets that wait to be revealed by the one person who can, until they die (DESIGN K2)."""

from django.utils import timezone

from accounts.models import ApiKey, Member
from accounts.models.api_key import CLAIM_WITHIN


def to_reveal(member: Member) -> list[ApiKey]:
    """The keys that `member` asked for and has not revealed yet, the one that dies first first."""
    waiting = ApiKey.objects.filter(
        made_by=member,
        revealed_at=None,
        revoked_at=None,
        created_at__gt=timezone.now() - CLAIM_WITHIN,
        service_user__removed_at=None,
    )
    return list(waiting.select_related("service_user").order_by("created_at", "pk"))
