"""What people do about their own password: change it, or set a new one by a link in their mail (security SI-8, F-9)."""

from typing import Final

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.urls import reverse
from django_tasks import task

from accounts import memberships
from accounts.authentication import email_links, notifications, session_store, throttle
from accounts.factors.enrolled import held
from accounts.models import AccessLink, Member, User
from accounts.models.invitation import LinkPurpose
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import lock_history, record
from portal.core import call_origin
from portal.core.errors import Invalid
from portal.jobs import mail

SAME: Final = "This is the password you have. Choose another one."


def change(member: Member, *, current: str, new: str, key: str | None) -> User:
    """Set a new password and end every other session of the person; `key` is that of the session that stays.

    Raises: Invalid beside `current` if that is not their password, beside `password` if the new one is the same.
    """
    if not throttle.may_try_password(member.user.email, call_origin.current().source):
        raise Invalid("Too many tries. Wait a quarter of an hour.", field="current")
    if not member.user.check_password(current):
        raise Invalid("This is not your present password.", field="current")
    throttle.password_was_right(member.user.email, call_origin.current().source)
    if current == new:
        raise Invalid(SAME, field="password")
    # Before the locks: others wait for those, and this may wait for others.
    digested = make_password(new)
    with transaction.atomic():
        memberships.lock(member.user)
        user = User.objects.select_for_update().get(pk=member.user_id)
        user.password = digested
        user.save(update_fields=["password"])
        record(EventKind.PASSWORD_CHANGED, actor=member, subject=member, workflow=Workflow.MANAGE_ACCESS)
        email_links.kill(user, LinkPurpose.RESET_PASSWORD)
        notifications.notify_security(user, "password_changed")
        session_store.end_all(user, except_key=key, reason="The password was changed.")
    return user


def ask_for_link(email: str) -> None:
    """Have a link to set a new password mailed, if there is somebody to send it to; nothing tells whether (SI-4).

    Whether there is, `manage.py work` looks up: here the same is done, and takes as long, for every address.
    """
    origin = call_origin.current()
    if throttle.may_ask_for_link(email, origin.source):
        send_link.enqueue(email.strip().lower(), origin.source, origin.request_id)


@task()
def send_link(email: str, source: str, request_id: str) -> None:
    """Mail the link that was asked for, if somebody has that address."""
    member = _member_of(email)
    if member is None:
        return
    with call_origin.origin(source=source, request_id=request_id), transaction.atomic():
        lock_history(member.organization_id)
        made = email_links.issue(member.user, LinkPurpose.RESET_PASSWORD)
        record(EventKind.PASSWORD_LINK_SENT, actor=member, subject=member, workflow=Workflow.MANAGE_ACCESS)
        path = reverse("accounts:reset_link", kwargs={"token": made.text})
        mail.send(
            "reset", to=[member.user.email], context={"name": member.user.name, "link": email_links.absolute(path)}
        )


def reset(link: AccessLink, *, new: str) -> None:
    """Set a new password by a link, and end every session. Factors stay as they are: it signs nobody in (F-9).

    Raises: NotFound if the link was used meanwhile.
    """
    digested = make_password(new)
    with transaction.atomic():
        member = _member_of(link.user.email)
        memberships.lock(link.user)
        email_links.spend(link)
        user = User.objects.select_for_update().get(pk=link.user_id)
        user.password = digested
        user.save(update_fields=["password"])
        if member is not None:
            record(EventKind.PASSWORD_RESET, actor=member, subject=member, workflow=Workflow.MANAGE_ACCESS)
        throttle.forget_password_failures(user.email)
        notifications.notify_security(user, "password_reset")
        session_store.end_all(user, reason="The password was set anew.")
        # Somebody who never got as far as a second factor, or whose factors were reset.
        for place in memberships.of(user):
            if place.is_active and not held(place):
                send_enrolment_link(place)


def send_enrolment_link(member: Member) -> None:
    """Mail a link to enrol a factor, to the person's own address; in the caller's transaction (DESIGN M4)."""
    made = email_links.issue(member.user, LinkPurpose.ENROL, member=member)
    path = reverse("accounts:enrol_link", kwargs={"token": made.text})
    mail.send(
        "enrol",
        to=[member.user.email],
        context={
            "name": member.user.name,
            "organization": member.organization.name,
            "link": email_links.absolute(path),
        },
    )


def offer_enrolment(user: User, member: Member | None = None) -> None:
    """For who has shown their password and holds no factor, or none for `member`: the way on is in their mail."""
    member = member or _member_of(user.email)
    if member is not None and throttle.may_ask_for_link(user.email, call_origin.current().source):
        with transaction.atomic():
            send_enrolment_link(member)


def _member_of(email: str) -> Member | None:
    members = Member.objects.active().select_related("organization", "user")
    return members.filter(user__email=email.strip().lower()).order_by("pk").first()
