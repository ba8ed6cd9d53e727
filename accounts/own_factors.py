"""What people change about their own second factors: each change is told to them and ends their other sessions."""

from dataclasses import dataclass
from typing import Any, Final

from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction

from accounts import links, notices, places, resting, session, sessions
from accounts.factors import recovery_codes
from accounts.factors.held import WORDS, asked_by_memberships
from accounts.models import Authenticator, Member, Passkey, User
from accounts.models.invitation import LinkPurpose
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import lock_history, record
from portal.core.errors import Conflict, NotFound
from portal.core.http import PASSKEY, TOTP

APPS_AT_MOST: Final = 5
Factor = Authenticator | Passkey


@dataclass(frozen=True, slots=True)
class Mine:
    """The factors of one person, as the page lists them."""

    passkeys: tuple[Passkey, ...]
    apps: tuple[Authenticator, ...]
    codes: int


def mine(user: User) -> Mine:
    """What the person holds."""
    return Mine(
        passkeys=tuple(Passkey.objects.filter(user=user, confirmed=True).order_by("pk")),
        apps=tuple(Authenticator.objects.filter(user=user, confirmed=True).order_by("pk")),
        codes=recovery_codes.remaining(user),
    )


def kind_of(factor: Factor) -> str:
    return PASSKEY if isinstance(factor, Passkey) else TOTP


def find(user: User, kind: str, pk: int) -> Factor:
    """One of the person's own factors.

    Raises: NotFound if it is not theirs, or there is none.
    """
    rows = {PASSKEY: Passkey.objects, TOTP: Authenticator.objects}.get(kind)
    factor: Factor | None = rows.filter(user=user, confirmed=True, pk=pk).first() if rows is not None else None
    if factor is None:
        raise NotFound("You have no such factor.")
    return factor


def added(factor: Factor, *, member: Member, key: str | None, by_code: bool = False) -> None:
    """Tell of a factor that counts from now on, and end every other session. In the transaction that made it.

    `by_code`: whoever added it had shown nothing but a password and a recovery code, and rests (DESIGN M4).
    """
    places.lock(member.user)
    _tell(EventKind.FACTOR_ADDED, factor, member)
    links.kill(member.user, LinkPurpose.ENROL)
    kind = "factor_added_by_code" if by_code else "factor_added"
    notices.notify_security(member.user, kind, factor=f"{described(factor)}.")
    if by_code:
        resting.begin_by_code(member)
    sessions.end_all(member.user, except_key=key, reason="A second factor was added.")


@transaction.atomic
def rename(factor: Factor, name: str, *, member: Member) -> None:
    """Give a factor another name, which nobody but its owner sees."""
    lock_history(member.organization_id)
    before = factor.name
    factor.name = name
    factor.save(update_fields=["name"])
    _tell(EventKind.FACTOR_RENAMED, factor, member, before=before)


@transaction.atomic
def remove(factor: Factor, *, member: Member, store: SessionBase) -> None:
    """Take a factor away, and end every other session.

    Raises: Conflict if the person would no longer meet the level of one of their Organizations (security F-8);
    NotFound if it is gone already.
    """
    places.lock(member.user)
    user = User.objects.select_for_update().get(pk=member.user_id)
    found = find(user, kind_of(factor), factor.pk)
    left = held_without(user, found)
    if not left or any(not left & wanted for wanted in asked_by_memberships(user)):
        raise Conflict(
            f"This is your last {WORDS[kind_of(found)].lower()} that meets what your Organization asks for. "
            "Add another one first."
        )
    _tell(EventKind.FACTOR_REMOVED, found, member)
    words = described(found)
    found.delete()
    notices.notify_security(user, "factor_removed", factor=f"{words}.")
    sessions.end_all(user, except_key=store.session_key, reason="A second factor was removed.")
    session.forget_proof(store)
    if store.get(session.SIGNED_IN_BY) not in left:
        store[session.SIGNED_IN_BY] = min(left)


@transaction.atomic
def new_codes(member: Member) -> list[str]:
    """Ten new recovery codes, to be shown once; the old ones are dead."""
    lock_history(member.organization_id)
    codes = recovery_codes.issue(member.user)
    record(
        EventKind.RECOVERY_CODES_MADE,
        actor=member,
        subject=member,
        workflow=Workflow.MANAGE_ACCESS,
        codes=len(codes),
    )
    notices.notify_security(member.user, "recovery_codes_made")
    return codes


def held_without(user: User, factor: Factor) -> frozenset[str]:
    """The kinds that the person would still hold without `factor`."""
    own = mine(user)
    others = {
        PASSKEY: any(passkey != factor for passkey in own.passkeys),
        TOTP: any(app != factor for app in own.apps),
    }
    return frozenset(kind for kind, has_other in others.items() if has_other)


def may_add_app(user: User) -> bool:
    return Authenticator.objects.filter(user=user, confirmed=True).count() < APPS_AT_MOST


def described(factor: Factor) -> str:
    return f"{WORDS[kind_of(factor)]} “{factor.name}”"


def _tell(kind: EventKind, factor: Factor, member: Member, **data: Any) -> None:
    record(
        kind,
        actor=member,
        subject=member,
        workflow=Workflow.MANAGE_ACCESS,
        factor=kind_of(factor),
        name=factor.name,
        **data,
    )
