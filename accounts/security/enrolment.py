"""Enrolling a factor: who may, and who can do nothing else before (DESIGN O4; security F-4, F-7, F-8, F-12)."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts import memberships
from accounts.authentication import password_step, session_data, throttle
from accounts.authentication.second_factor_step import Admitted
from accounts.factors import recovery_codes, totp
from accounts.factors.enrolled import accepted, counted, held, places_taking
from accounts.factors.totp import Failure
from accounts.factors.webauthn import known, register
from accounts.models import Authenticator, Member, Passkey, User
from accounts.security import factor_changes
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.errors import Conflict, Invalid, Refused
from portal.core.factors import PASSKEY, RECOVERY_CODE, TOTP
from portal.core.secrets.sealing import SealBroken

USER, SINCE, HASH, MEMBER, THEN = "enrol_user", "enrol_since", "enrol_hash", "enrol_member", "enrol_then"
SEED, SEED_AT, SEED_FAILURES = "pending_seed", "pending_seed_at", "pending_seed_failures"
OVER: Final = "Enrolling took too long, or the link was used before. Ask for a new one."
PASSKEY_FIRST: Final = (
    "Use a passkey that you hold.\nAn Organization of yours asks for one, and a code adds no factor beside it."
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may enrol a factor now, which will count in these `places` of theirs.

    `is_new` has no session yet: the first factor opens it.
    """

    user: User
    member: Member
    is_new: bool
    places: tuple[Member, ...]

    @property
    def kinds(self) -> frozenset[str]:
        """What would do them any good: what the Organizations take in which it would count."""
        return frozenset().union(*(accepted(place.organization) for place in self.places))


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A factor counts now. `route` is where to go on.

    `admits` is who has shown enough by it and has no session that goes on: the view opens one, and keeps in it the
    path `then` for afterwards.
    """

    route: str
    admits: Admitted | None = None
    then: str = ""


def begin(store: SessionBase, member: Member, *, then: str = "") -> None:
    """Let a person without any factor here enrol their first one in this browser, within half an hour.

    For whoever has shown a link from their own mail, or is setting up the portal. `then` is a path of ours for
    afterwards. They stay anonymous until the factor counts (security SI-1).

    Raises: Conflict if they hold a factor: then they sign in with it.
    """
    if held(member):
        raise Conflict("You have a second factor already. Sign in with it.")
    store.flush()
    store.update(
        {
            USER: member.user_id,
            MEMBER: member.pk,
            SINCE: timezone.now().timestamp(),
            HASH: password_step.fragment(member.user),
            THEN: then,
        }
    )


def candidate(store: SessionBase, member: Member | None) -> Candidate | None:
    """Who may enrol a factor in this session, that of `member` if they are signed in, or None.

    Signed in, that takes a strong factor shown within the last minutes, or having come by a recovery code (F-7, F-8).
    """
    if member is not None:
        may = is_repairing(store) or factor_changes.has_shown_enough(store, member)
        return _counting(Candidate(member.user, member, is_new=False, places=()), store) if may else None
    members = Member.objects.active().select_related("user", "organization")
    found = members.filter(pk=store.get(MEMBER, 0), user_id=store.get(USER, 0)).first()
    age = timezone.now().timestamp() - store.get(SINCE, 0)
    if found is None or age >= settings.ENROLMENT.total_seconds():
        return None
    if not constant_time_compare(store.get(HASH, ""), password_step.fragment(found.user)):
        return None
    return _counting(Candidate(found.user, found, is_new=True, places=()), store)


def _counting(who: Candidate, store: SessionBase) -> Candidate | None:
    """The same with where a new factor counts: where that counts which lets them add it, and nowhere else (DESIGN M4).

    A link from their own mail lets them into the place it was sent for, and into every other that waits for one too.
    """
    if who.is_new:
        found = [place for place in memberships.of(who.user) if not held(place)]
    else:
        proof = session_data.recent_proof(store)
        marks = session_data.shown(store) if is_repairing(store) else [proof.mark] if proof else []
        found = places_taking(who.user, marks)
    return replace(who, places=tuple(found)) if who.member in found else None


def _again(who: Candidate, store: SessionBase) -> Candidate:
    """The same under the locks of all their places.

    Raises: Conflict if what let them in counts no longer, or somebody else was faster.
    """
    memberships.lock(who.user)
    found = _counting(who, store)
    if found is None:
        raise Conflict(OVER)
    return found


def is_repairing(store: SessionBase) -> bool:
    """Whether somebody came in by a recovery code, to put their factors right."""
    return bool(store.get(session_data.SIGNED_IN_BY) == RECOVERY_CODE)


def is_confined(store: SessionBase, member: Member) -> bool:
    """Whether nothing was shown in this session that counts here and that the Organization's level takes."""
    return not counted(member, session_data.shown(store)) & accepted(member.organization)


def way_out(store: SessionBase, member: Member) -> str:
    """The route on which somebody confined becomes free: show what they hold, or enrol what they lack."""
    if is_repairing(store) or not held(member) & accepted(member.organization):
        return "accounts:enrol"
    return "accounts:prove"


def offer_app(store: SessionBase, who: Candidate) -> totp.Offer:
    """A new seed, kept sealed in the session until a code of it passes; it dies with the session (F-4).

    Raises: Refused if they have as many apps as anybody may have.
    """
    if not factor_changes.may_add_app(who.places):
        raise Refused("You have as many authenticator apps as there can be. Remove one first.")
    offered = totp.offer(who.user.email)
    store[SEED] = totp.sealed(who.user, offered)
    store[SEED_AT] = timezone.now().isoformat()
    store[SEED_FAILURES] = 0
    return offered


def offered_app(store: SessionBase, who: Candidate) -> totp.Offer | None:
    """The seed that waits in this session for a code; None after half an hour or five wrong ones."""
    if SEED not in store or store.get(SEED_FAILURES, 0) >= settings.PENDING_FAILURES:
        return None
    if timezone.now() - datetime.fromisoformat(store[SEED_AT]) >= settings.ENROLMENT:
        return None
    try:
        return totp.unsealed(who.user, store[SEED])
    except SealBroken:
        return None


def enrol_app(store: SessionBase, who: Candidate, code: str, *, name: str) -> Enrolled:
    """Let the offered app count, and say how to go on.

    Raises: Invalid with `field="code"` if the code is not of the seed that was offered; Refused without an offer.
    """
    offered = offered_app(store, who)
    if offered is None:
        raise Refused("That key was not confirmed in time. Here is a new one.")
    with transaction.atomic():
        who = _again(who, store)
        made = totp.confirm(who.user, offered, code, name=name)
        if not isinstance(made, Failure):
            _added(store, who, made)
            _note_first(who, TOTP)
    if isinstance(made, Failure):
        store[SEED_FAILURES] = store.get(SEED_FAILURES, 0) + 1
        raise Invalid(made.message, field="code")
    for mark in (SEED, SEED_AT, SEED_FAILURES):
        store.pop(mark, None)
    return _go_on(store, who, made)


def enrol_passkey(store: SessionBase, who: Candidate, answer: str, *, name: str = "") -> Enrolled:
    """Let the passkey count that the browser has just made, and say how to go on.

    Without a name: one that they hold already, which counts in another Organization of theirs; the browser makes no
    second one on the same device.

    Raises: Invalid if it is not accepted.
    """
    with transaction.atomic():
        who = _again(who, store)
        made = register(store, who.user, answer, name=name) if name else known(store, who.user, answer)
        _added(store, who, made)
        _note_first(who, PASSKEY)
    return _go_on(store, who, made)


def _added(store: SessionBase, who: Candidate, made: Authenticator | Passkey) -> None:
    key = None if who.is_new else store.session_key
    factor_changes.added(made, who.places, member=who.member, key=key, by_code=is_repairing(store))


def _note_first(who: Candidate, factor: str) -> None:
    """A first factor signs its owner in: the history has that sign-in like any other."""
    if who.is_new:
        throttle.code_was_right(who.user)
        record(
            EventKind.SIGN_IN_SUCCEEDED,
            actor=who.member,
            subject=who.member,
            workflow=Workflow.MANAGE_ACCESS,
            factor=factor,
            enrolled=True,
        )


def _go_on(store: SessionBase, who: Candidate, made: Authenticator | Passkey) -> Enrolled:
    """With a session anew, or in the one there is, mended; the next page is the recovery codes, until there are any."""
    route = "accounts:security" if recovery_codes.remaining(who.member) else "accounts:recovery_codes"
    if who.is_new or not counted(who.member, session_data.shown(store)) & accepted(who.member.organization):
        # They have just shown this factor: the session begins with it, under a new key.
        return Enrolled(route, Admitted(who.member, made), store.get(THEN, ""))
    session_data.forget_proof(store)
    store.cycle_key()
    return Enrolled(route)
