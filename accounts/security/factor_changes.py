"""What people change about their own second factors: each change is told to them and ends their other sessions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import Prefetch, QuerySet

from accounts import memberships
from accounts.authentication import email_links, notifications, session_data, session_store
from accounts.factors import recovery_codes, trust
from accounts.factors.enrolled import FACTORS, Factor, accepted, counted, held, kind_of, places_taking
from accounts.models import Authenticator, Member, Passkey, User
from accounts.models.invitation import LinkPurpose
from accounts.security import cooldown
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import lock_history, record
from portal.core.errors import Conflict, NotFound, Refused
from portal.core.factors import PASSKEY, TOTP, factor_word

APPS_AT_MOST: Final = 5
NOT_SHOWN: Final = "Show a factor that counts here first."


@dataclass(frozen=True, slots=True)
class Mine:
    """The factors that count for one Member, as the page lists them; `elsewhere`, those of theirs that do not."""

    passkeys: tuple[Passkey, ...]
    apps: tuple[Authenticator, ...]
    codes: int
    elsewhere: tuple["Elsewhere", ...] = ()


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A factor that counts in other Organizations of the person only; `is_of_use`: the level here would take it."""

    factor: Factor
    kind: str
    organizations: str
    is_of_use: bool


def mine(member: Member) -> Mine:
    """What the person holds that counts here."""
    return Mine(
        passkeys=tuple(Passkey.objects.filter(places=member, confirmed=True).order_by("pk")),
        apps=tuple(Authenticator.objects.filter(places=member, confirmed=True).order_by("pk")),
        codes=recovery_codes.remaining(member),
    )


def all_of(member: Member) -> Mine:
    """The same with what counts in other Organizations of theirs only: the person's own business, and nobody else's."""
    takes = accepted(member.organization)
    others = Prefetch(
        "places", queryset=Member.objects.filter(removed_at=None).select_related("organization").order_by("pk")
    )
    found = []
    for kind in (PASSKEY, TOTP):
        rows = _factors(kind).filter(user=member.user).exclude(places=member)
        for factor in rows.order_by("pk").prefetch_related(others):
            names = ", ".join(place.organization.name for place in factor.places.all())
            found.append(Elsewhere(factor, kind, names, is_of_use=kind in takes))
    return replace(mine(member), elsewhere=tuple(found))


def has_passkey_elsewhere(member: Member) -> bool:
    """Whether the person holds a passkey that does not count here: their device makes no second one."""
    return bool(Passkey.objects.filter(user=member.user, confirmed=True).exclude(places=member).exists())


def find(member: Member, kind: str, pk: int) -> Factor:
    """One of the person's own factors that counts here.

    Raises: NotFound if it is not theirs, does not count here, or there is none.
    """
    factor: Factor | None = _factors(kind).filter(user=member.user, places=member, pk=pk).first()
    if factor is None:
        raise NotFound("You have no such factor here.")
    return factor


def find_elsewhere(member: Member, kind: str, pk: int) -> Factor:
    """One of the person's own factors that does not count here.

    Raises: NotFound if there is none.
    """
    factor: Factor | None = _factors(kind).filter(user=member.user, pk=pk).exclude(places=member).first()
    if factor is None:
        raise NotFound("You have no such factor in another Organization.")
    return factor


def added(factor: Factor, where: Sequence[Member], *, member: Member, key: str | None, by_code: bool = False) -> None:
    """Let a factor count in these places from now on, tell of it, and end the other sessions there.

    In the transaction that made it. `by_code`: whoever added it had shown nothing but a password and a recovery code,
    and rests (DESIGN M4).
    """
    memberships.lock(member.user)
    trust.let_count(factor, where)
    for place in where:
        _tell(EventKind.FACTOR_ADDED, factor, place)
    email_links.kill(member.user, LinkPurpose.ENROL, where)
    # The very first is what they were asked to set up, and no reason for alarm.
    is_first = key is None and not any(place.factors_reset_at for place in where)
    kind = "factor_added_by_code" if by_code else "factor_first" if is_first else "factor_added"
    notifications.notify_security(member.user, kind, factor=f"{described(factor)}.")
    if by_code:
        cooldown.begin_by_code(where)
    else:
        cooldown.enrolled(where)
    session_store.end_in(where, except_key=key, reason="A second factor was added.")


@transaction.atomic
def let_count_here(factor: Factor, *, member: Member, store: SessionBase) -> None:
    """Let a factor that counts in another Organization of the person count here as well (DESIGN M4).

    Raises: Refused unless a factor that counts here was shown lately; NotFound if it is gone, or counts here already.
    """
    memberships.lock(member.user)
    proof = session_data.recent_proof(store)
    if proof is None or not counted(member, [proof.mark]):
        raise Refused(NOT_SHOWN)
    found = find_elsewhere(member, kind_of(factor), factor.pk)
    added(found, [member], member=member, key=store.session_key)
    session_data.forget_proof(store)


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
    """Take a factor away here, and wherever else that is taken which was shown; end the other sessions there.

    Another Organization, in which that does not count or whose level does not take it, goes on with it (DESIGN M4).

    Raises: Conflict if the person would no longer meet the level of one of these Organizations (security F-8);
    NotFound if it is gone already; Refused unless a factor that counts here was shown lately.
    """
    memberships.lock(member.user)
    user = User.objects.select_for_update().get(pk=member.user_id)
    found = find(member, kind_of(factor), factor.pk)
    reach = _taking(_reach(member, store), store)
    if member not in reach:
        raise Refused(NOT_SHOWN)
    where = [place for place in reach if place in found.places.all()]
    for place in where:
        left = held_without(place, found)
        if not left & accepted(place.organization):
            raise Conflict(
                f"This is your last {factor_word(kind_of(found))} that meets what your Organization asks for. "
                "Add another one first."
            )
    for place in where:
        _tell(EventKind.FACTOR_REMOVED, found, place)
    words = described(found)
    trust.end(found, where)
    notifications.notify_security(user, "factor_removed", factor=f"{words}.")
    session_store.end_in(where, except_key=store.session_key, reason="A second factor was removed.")
    session_data.forget_proof(store)


@transaction.atomic
def new_codes(member: Member, store: SessionBase) -> list[str]:
    """Ten new recovery codes, to be shown once; the old ones are dead. They open what the factor opens that was shown.

    Raises: Refused unless a factor was shown lately that counts here, and that each place takes which they will open.
    """
    memberships.lock(member.user)
    if not has_shown_enough(store, member):
        raise Refused(NOT_SHOWN)
    where = _reach(member, store)
    codes = recovery_codes.issue(member.user, where)
    for place in where:
        record(
            EventKind.RECOVERY_CODES_MADE,
            actor=place,
            subject=place,
            workflow=Workflow.MANAGE_ACCESS,
            codes=len(codes),
        )
    notifications.notify_security(member.user, "recovery_codes_made")
    return codes


def has_shown_enough(store: SessionBase, member: Member) -> bool:
    """Whether a factor was shown lately that counts here, and that each place where it counts takes, as far as they
    hold such a one there.

    A new factor counts in all of these: a code must not lead past an Organization that asks for a passkey.
    """
    proof = session_data.recent_proof(store)
    taking = places_taking(member.user, [proof.mark]) if proof else []
    if proof is None or member not in taking:
        return False
    wanted = ((accepted(place.organization), held(place)) for place in taking)
    return all(proof.factor in takes for takes, own in wanted if own & takes)


def held_without(member: Member, factor: Factor) -> frozenset[str]:
    """The kinds that would still count here without `factor`."""
    own = mine(member)
    others = {
        PASSKEY: any(passkey != factor for passkey in own.passkeys),
        TOTP: any(app != factor for app in own.apps),
    }
    return frozenset(kind for kind, has_other in others.items() if has_other)


def may_add_app(where: Sequence[Member]) -> bool:
    """Whether another app fits: there is a most for the places in which they would count."""
    apps = Authenticator.objects.filter(places__in=where, confirmed=True).distinct()
    return apps.count() < APPS_AT_MOST


def described(factor: Factor) -> str:
    """The factor by kind and name, for mail and history: Passkey “Blue key”."""
    return f"{factor_word(kind_of(factor)).capitalize()} “{factor.name}”"


def _factors(kind: str) -> QuerySet[Any]:
    if kind not in FACTORS:
        raise NotFound("There is no such kind of factor.")
    rows: QuerySet[Any] = FACTORS[kind].objects.filter(confirmed=True)
    return rows


def _reach(member: Member, store: SessionBase) -> list[Member]:
    """The places in which that counts which was shown lately: as far goes what is done with it."""
    proof = session_data.recent_proof(store)
    found = places_taking(member.user, [proof.mark]) if proof else []
    if member not in found:
        raise Refused(NOT_SHOWN)
    return found


def _taking(among: Sequence[Member], store: SessionBase) -> list[Member]:
    """Those whose level takes what was shown lately: a code takes nothing away where a passkey is asked for."""
    proof = session_data.recent_proof(store)
    return [place for place in among if proof is not None and proof.factor in accepted(place.organization)]


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
