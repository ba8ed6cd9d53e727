"""Every short way of whoever reads somebody's mail in a weak Organization: none of them leads into the strong one (M4).

The moves are the project's own functions. All sequences of them are walked, each state once; after each move the strong
Organization must stand as it stood.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.authentication import session_data
from accounts.authentication.session_store import SessionStore
from accounts.factors import recovery_codes
from accounts.factors.enrolled import KINDS, counted, entrance, held, kind_of, mark_of
from accounts.models import AccessLink, Authenticator, Member, RecoveryCode
from accounts.organizations.founding import add_member
from accounts.security import enrolment, factor_changes
from accounts.security.reset_factors import ResetFactors, reset_factors
from policies.changes import propose
from policies.models import State
from portal.core.errors import DomainError

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
DEPTH = 5
STOLEN = "stolen"


class _Back(Exception):
    """Ends a branch of the walk, and takes back what was done in it."""


@dataclass(frozen=True)
class Thief:
    """Who holds every factor called STOLEN and every code made with one, and the mail and password of their owner."""

    strong: Member
    weak: Member
    eve: Member

    def moves(self) -> Iterator[Callable[[], None]]:
        yield self.reset
        yield self.enrol_by_link
        for shown in self.own():
            for place in (self.weak, self.strong):
                yield partial(self.add, shown, place)
                yield partial(self.make_codes, shown, place)
                yield partial(self.let_all_count, shown, place)
                yield partial(self.remove_others, shown, place)

    def own(self) -> list[Any]:
        """What opens a session for them: each stolen factor, and one of the codes that are theirs."""
        codes = RecoveryCode.objects.filter(user=self.weak.user, used_at=None).order_by("-pk")[:1]
        stolen = Authenticator.objects.filter(user=self.weak.user, name=STOLEN).order_by("pk")
        return [*stolen, *(code for code in codes if code.digest not in self.honest)]

    @property
    def honest(self) -> set[str]:
        return set(RecoveryCode.objects.filter(places=self.strong).values_list("digest", flat=True))

    def reset(self) -> None:
        weak = ResetFactors(self.weak.pk)
        assert propose(reset_factors, actor=self.eve, params=weak).state == State.EXECUTED

    def enrol_by_link(self) -> None:
        link = AccessLink.objects.filter(user=self.weak.user, purpose="enrol", used_at=None).first()
        if link is None or link.member is None or held(link.member):
            return
        store = SessionStore()
        enrolment.begin(store, link.member)
        request = SimpleNamespace(session=store, member=None, user=None)
        self._enrol(request)

    def session_of(self, shown: Any, place: Member) -> SimpleNamespace | None:
        """As it is after signing in with it, and switching to `place`."""
        member = entrance(self.weak.user, shown)
        if member is None:
            return None
        store = SessionStore()
        session_data.start(store, member, factor=kind_of(shown), mark=mark_of(shown))
        if member != place:
            session_data.enter(store, place)
        request = SimpleNamespace(session=store, member=place, organization=place.organization, user=place.user)
        repairing = enrolment.is_repairing(store) and counted(place, [mark_of(shown)])
        if enrolment.is_confined(store, place) and not repairing:
            return None
        return request

    def add(self, shown: Any, place: Member) -> None:
        request = self.session_of(shown, place)
        if request is not None:
            self._enrol(request)

    def make_codes(self, shown: Any, place: Member) -> None:
        request = self.session_of(shown, place)
        if request is not None and not enrolment.is_repairing(request.session):
            factor_changes.new_codes(place, request.session)

    def let_all_count(self, shown: Any, place: Member) -> None:
        request = self.session_of(shown, place)
        if request is not None:
            for other in factor_changes.all_of(place).elsewhere:
                factor_changes.let_count_here(other.factor, member=place, store=request.session)
                session_data.note_proof(request.session, kind_of(shown), mark_of(shown))

    def remove_others(self, shown: Any, place: Member) -> None:
        request = self.session_of(shown, place)
        if request is not None:
            for other in factor_changes.mine(place).apps:
                if other != shown:
                    factor_changes.remove(other, member=place, store=request.session)
                    session_data.note_proof(request.session, kind_of(shown), mark_of(shown))

    def _enrol(self, request: Any) -> None:
        who = enrolment.candidate(request.session, request.member)
        if who is None:
            return
        apps = Authenticator.objects.filter(user=who.user, name=STOLEN).count()
        if apps < 2:
            made = Authenticator.objects.create(
                user=who.user, name=STOLEN, confirmed=True, sealed_seed="-", created_at=timezone.now()
            )
            by_code = enrolment.is_repairing(request.session)
            factor_changes.added(made, who.places, member=who.member, key=None, by_code=by_code)


def standing(thief: Thief) -> tuple[Any, ...]:
    """What decides how it goes on from here: what counts where, and whether a link waits."""
    rows = [
        (kind, getattr(one, "name", ""), getattr(one, "used_at", None) is None, place)
        for kind, model in KINDS.items()
        for one in model.objects.filter(user=thief.weak.user)
        for place in one.places.values_list("pk", flat=True)
    ]
    links = AccessLink.objects.filter(user=thief.weak.user, used_at=None).count()
    return (tuple(sorted(rows)), links)


def test_no_way_from_the_weak_organization_leads_into_the_strong_one(world, ben, eve):
    """fault rules-A, fault security-H3: all sequences of up to five moves, each state once."""
    weak = add_member(world.elsewhere, ben.user, rights=[])
    kept = {code.replace("-", "") for code in recovery_codes.issue(ben.user)}
    thief = Thief(ben, Member.objects.select_related("user", "organization").get(pk=weak.pk), eve)
    mine = list(Authenticator.objects.filter(places=ben).values_list("pk", flat=True))
    seen: set[tuple[Any, ...]] = set()

    def as_it_was() -> None:
        assert list(Authenticator.objects.filter(places=ben).values_list("pk", flat=True)) == mine
        assert recovery_codes.remaining(ben) == len(kept)
        ben.refresh_from_db()
        assert ben.factors_reset_at is None

    def walk(depth: int) -> None:
        as_it_was()
        state = standing(thief)
        if depth == 0 or state in seen:
            return
        seen.add(state)
        for move in list(thief.moves()):
            try:
                with transaction.atomic():
                    try:
                        with transaction.atomic():
                            move()
                    except DomainError:
                        continue
                    walk(depth - 1)
                    raise _Back
            except _Back:
                continue

    walk(DEPTH)
    assert len(seen) > 8, "the walk went somewhere"
    assert any("stolen" in str(state) for state in seen)
