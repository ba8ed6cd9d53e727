"""Where sessions are kept, and how they end: by deleting their row, at once (security SI-8, SI-9).

`settings.SESSION_ENGINE` names this module. Django saves a session only over a row that is still there, so a request
that was under way when its session was ended cannot bring it back.
"""

from collections.abc import Sequence
from typing import Any, Final

from django.contrib.auth import SESSION_KEY as USER
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import memberships as places
from accounts.authentication import session_data
from accounts.models import Member, Session, User
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.audit.record import record
from portal.core.actors import Actor, portal
from portal.core.database.postgresql import standby
from portal.core.errors import NotFound

SWEPT_AT_ONCE: Final = 1000
SHUT_OUT_BY: Final = (EventKind.SIGNED_OUT, EventKind.MEMBER_SUSPENDED, EventKind.MEMBER_KEPT_OUT)


class SessionStore(DatabaseStore):
    """Django's database sessions with columns that people can read: whose, since when, from where, by which factor.

    `row` is the one that the session was read from, with its Member, Organization and person; None before that.
    """

    row: Session | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Our table in place of Django's."""
        return Session

    def _get_session_from_db(self) -> Session | None:
        """Django's, with the person whose session it is in the same statement: every page asks who they are."""
        rows = Session.objects.select_related("member__organization", "member__user")
        self.row = rows.filter(session_key=self.session_key, expire_date__gt=timezone.now()).first()
        if self.row is None:
            self._session_key = None
        return self.row

    def save(self, must_create: bool = False) -> None:
        """Django's; nothing while the database takes no changes, for what a page notes of its reader may be missed."""
        if not standby.is_read():
            super().save(must_create)

    def delete(self, session_key: str | None = None) -> None:
        """Django's; while the database takes no changes a session that is over stays, and is over at each look."""
        if not standby.is_read():
            super().delete(session_key)

    def create_model_instance(self, data: Any) -> AbstractBaseSession:  # noqa: ANN401 - Django's own signature
        """Django's row, with whose session it is in columns beside the data."""
        row = super().create_model_instance(data)
        for column, value in session_data.columns(data).items():
            setattr(row, column, value)
        return row

    def cycle_key(self) -> None:
        """Give the session another key; the old one is dead from then on.

        A signed-in session is renamed in place, by one statement: made anew, it would survive the request of somebody
        who is ending it at this moment.

        Raises: SessionInterrupted if it was ended meanwhile.
        """
        if self.session_key is None or USER not in self:
            super().cycle_key()
            return
        new_key = self._get_new_session_key()  # type: ignore[attr-defined]
        if not Session.objects.filter(session_key=self.session_key).update(session_key=new_key):
            raise SessionInterrupted("This session was ended meanwhile.")
        self._session_key = new_key
        self.modified = True


def end_all(user: User, *, except_key: str | None = None, reason: str) -> int:
    """End every session of a person, but for the one with that key, and say how many that were.

    For what concerns the person: password, factors. Each Organization they were signed in to gets an event. Runs in
    the caller's transaction, which should take no other lock afterwards.
    """
    rows = Session.objects.filter(user=user)
    if except_key is not None:
        rows = rows.exclude(session_key=except_key)
    memberships = Member.objects.filter(user=user).order_by("organization_id")
    return sum(_end(rows.filter(member=member), member, reason) for member in memberships) + _delete(rows)


def end_in(members: Sequence[Member], *, except_key: str | None = None, reason: str) -> int:
    """End every session in which a person acts as one of these Members, but for the one with that key.

    For what concerns the factors that count there. Runs in the caller's transaction.
    """
    return sum(end_member(member, except_key=except_key, reason=reason) for member in members)


def end_member(member: Member, *, except_key: str | None = None, reason: str) -> int:
    """End every session in which a person acts as this Member, but for the one with that key, and say how many.

    For what concerns the membership: rights, suspension, removal. Runs in the caller's transaction.
    """
    return _end(Session.objects.filter(member=member).exclude(session_key=except_key), member, reason)


@transaction.atomic
def end(handle: str, *, by: Member) -> None:
    """End one session of one's own, also one of another Organization, which reads of it in its own history.

    It only takes power away from oneself, so it asks for no factor: whoever finds a stranger in has no time for that.

    Raises: NotFound if there is none with that handle that is theirs.
    """
    if not _end_own(Session.objects.filter(user=by.user_id, handle=handle), by, "Ended by its owner."):
        raise NotFound("There is no such session any more.")


@transaction.atomic
def end_others(*, by: Member, key: str | None) -> int:
    """The same for every one but that with this key; says how many that were."""
    return _end_own(Session.objects.filter(user=by.user_id).exclude(session_key=key), by, "Ended by their owner.")


def was_shut_out(store: SessionBase, member: Member) -> bool:
    """Whether somebody else ended the sessions of `member`, or stopped them, since this session was signed in.

    It was at another Organization at that moment, which ends what happens in it and nothing next door (DESIGN O1): so
    it lives on there, and does not come back.
    """
    ends = AuditEvent.objects.filter(
        organization_id=member.organization_id,
        kind__in=[kind.value for kind in SHUT_OUT_BY],
        actor_kind=member.kind,
        subject_kind=member.kind,
        subject_id=member.pk,
        at__gte=session_data.signed_in_at(store),
    )
    return ends.exclude(actor_id=member.pk).exists()


def sweep(*, batch: int = SWEPT_AT_ONCE, most: int = 50) -> int:
    """Delete expired sessions, of strangers and of members, a bounded number at a time; say how many that were."""
    swept = 0
    for _ in range(most):
        expired = Session.objects.filter(expire_date__lt=timezone.now()).order_by("expire_date")
        keys = list(expired.values_list("pk", flat=True)[:batch])
        swept += Session.objects.filter(pk__in=keys, expire_date__lt=timezone.now()).delete()[0]
        if len(keys) < batch:
            break
    return swept


def theirs(user: User) -> list[Session]:
    """The sessions of a person that have not passed their limits, the last used first."""
    rows = Session.objects.filter(user=user, handle__isnull=False).select_related("member__organization")
    return [row for row in rows.order_by("-seen_at") if not is_over(row)]


def is_over(row: Session) -> bool:
    """Whether a stored session has passed its limits, though nobody has come to end it."""
    return row.member is None or session_data.is_past(row.started_at, row.seen_at, row.member.organization)


def record_end(actor: Actor, member: Member, reason: str, ended: int) -> None:
    """Remember that so many sessions of a Member were ended, by whom and why; in the transaction that ended them."""
    record(
        EventKind.SIGNED_OUT,
        actor=actor,
        subject=member,
        workflow=Workflow.MANAGE_ACCESS,
        reason=reason,
        sessions=ended,
    )


def _end_own(rows: "QuerySet[Session]", by: Member, reason: str) -> int:
    """Each Organization reads in its history of the sessions in it alone, and nothing of another (DESIGN O1)."""
    places.lock(by.user)
    ended = 0
    for place in places.of(by.user):
        here = _delete(rows.filter(member=place))
        if here:
            record_end(place, place, reason, here)
        ended += here
    return ended + _delete(rows)


def _end(rows: "QuerySet[Session]", member: Member, reason: str) -> int:
    ended = _delete(rows)
    if ended:
        record_end(portal(member.organization_id), member, reason, ended)
    return ended


def _delete(rows: "QuerySet[Session]") -> int:
    return rows.delete()[0]
