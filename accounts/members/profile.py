"""Changing what a person says about themselves."""

from django.db import transaction

from accounts import memberships
from accounts.members import names
from accounts.models import Member, User
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record


@transaction.atomic
def change(member: Member, *, name: str, time_zone: str, language: str = "", tell: str = "") -> None:
    """Keep the new values. Another name is news in every Organization that knows the person by the old one.

    Raises: Invalid beside `name` if somebody they decide with goes by it, or by one that looks like it.
    """
    memberships.lock(member.user)
    user = User.objects.select_for_update().get(pk=member.user_id)
    before = user.name
    if name != before:
        names.refuse_alike(name, among=[place.organization_id for place in memberships.of(user)], but=user)
    user.name, user.language, user.time_zone = name, language or user.language, time_zone
    user.tell = tell or user.tell
    user.save(update_fields=["name", "language", "time_zone", "tell"])
    if before == name:
        return
    for place in memberships.of(user):
        record(
            EventKind.PROFILE_CHANGED,
            actor=place,
            subject=place,
            workflow=Workflow.MANAGE_ACCESS,
            before=before,
            after=name,
        )
