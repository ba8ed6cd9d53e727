"""People at the same moment, on two real connections: one outcome, and nobody waits for the other for ever.

The sides are made to meet where one of them must already hold what the other needs. While the locks hold they cannot
meet: the first waits in vain, goes on alone, and only then lets the other in.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.authentication import session_data
from accounts.authentication.session_store import SessionStore
from accounts.emergency_stop import end_sessions, suspensions
from accounts.emergency_stop.keep_out import KeepOut, keep_out
from accounts.factors import enrolled as factors
from accounts.members import invitations
from accounts.members.identity import checks
from accounts.members.identity.provider import Document
from accounts.models import Authenticator, IdentityCheck, Member, OwnershipOffer, Passkey, User
from accounts.organizations import ownership
from accounts.organizations.founding import add_member
from accounts.security import cooldown, factor_changes
from accounts.security.reset_factors import ResetFactors, reset_factors
from policies.changes import propose
from policies.workflows import Right, Workflow
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, NotFound, Refused
from tests.accounts.organizations.test_organization import ask_transfer, owner_now, yes
from tests.factories.authenticator import SoftPasskey
from tests.factories.people import proof

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 0.5


@pytest.fixture
def meet(monkeypatch) -> Callable[[object, str], None]:
    """Let two sides wait for each other after each has called that function."""

    def after(module: object, name: str) -> None:
        meeting, original = Barrier(2), getattr(module, name)

        def met(*args, **kwargs):
            answer = original(*args, **kwargs)
            with suppress(BrokenBarrierError):
                meeting.wait(PATIENCE_SECONDS)
            return answer

        monkeypatch.setattr(module, name, met)

    return after


def kinds(answers) -> list[type]:
    return sorted((type(answer) for answer in answers), key=lambda kind: kind.__name__)


@pytest.fixture
def offered(owner, ana, ben):
    """Ana, to whom the ownership is offered."""
    yes(ask_transfer(owner, ana), ben)
    return ana


def test_ownership_is_accepted_once(race, meet, world, offered):
    """O3: accept ∥ accept, from two tabs of the new Owner."""
    meet(ownership, "open_offer")
    answers = race(lambda _: ownership.accept(by=offered, proof=proof()), 2)
    assert kinds(answers) == [Member, NotFound]
    assert owner_now(world) == offered
    assert AuditEvent.objects.filter(kind="ownership.accepted").count() == 1


def test_ownership_is_accepted_or_declined(race, meet, world, owner, offered):
    """O3: accept ∥ decline."""
    meet(ownership, "open_offer")
    acts = (lambda: ownership.accept(by=offered, proof=proof()), lambda: ownership.decline(by=offered))
    answers = race(lambda number: acts[number](), 2)
    assert [type(answer) for answer in answers].count(NotFound) == 1
    row = OwnershipOffer.objects.get()
    assert owner_now(world) == (offered if row.accepted_at else owner)
    assert (row.accepted_at is None) != (row.declined_at is None)


def test_there_is_one_unanswered_offer_whatever_goes_around_the_function(world, ana, ben, offered):
    """O3: `ownership_offer_one_unanswered`; answered or lapsed ones are no bar."""
    now = timezone.now()
    another = {"organization": world.organization, "to": ben, "offered_at": now, "expires_at": now + timedelta(days=1)}
    with pytest.raises(IntegrityError), transaction.atomic():
        OwnershipOffer.objects.create(request="another", **another)
    OwnershipOffer.objects.update(lapsed_at=now)
    OwnershipOffer.objects.create(request="another", **another)
    with pytest.raises(IntegrityError), transaction.atomic():
        OwnershipOffer.objects.filter(request="another").update(declined_at=now, lapsed_at=now)


def test_an_offer_that_nobody_answered_makes_room_for_the_next(world, owner, ana, ben, cleo, offered):
    OwnershipOffer.objects.update(expires_at=timezone.now())
    yes(ask_transfer(owner, cleo), ben)
    first, second = OwnershipOffer.objects.order_by("pk")
    assert first.lapsed_at is not None
    assert second.is_open
    assert second.to == cleo


def test_an_identity_is_submitted_once(race, meet, world, audit):
    """M3: submit ∥ submit, from two tabs."""
    Member.objects.filter(pk=audit.pk).update(identity="unverified")
    document = Document(
        full_name="Otto Berg",
        born_on=date(1980, 1, 2),
        country="CH",
        kind="passport",
        number="X1234567",
        expires_on=timezone.localdate() + timedelta(days=400),
    )
    meet(checks, "lock_history")
    answers = race(lambda _: checks.submit(audit, document), 2)
    assert kinds(answers) == [Conflict, IdentityCheck]
    assert AuditEvent.objects.filter(kind="identity.submitted").count() == 1


def test_two_resets_that_reach_into_each_others_organization_both_pass(race, meet, world, owner, eve, ben, cleo):
    """M4: histories are locked in one order, whichever Organization asks."""
    for person in (ben, cleo):
        add_member(world.elsewhere, person.user, rights=[(Workflow.MANAGE_ACCESS, Right.VIEW)])
    cleo_there = Member.objects.get(organization=world.elsewhere, user=cleo.user)
    sides = ((owner, ben), (eve, cleo_there))
    meet(cooldown, "begin")
    answers = race(
        lambda number: propose(reset_factors, actor=sides[number][0], params=ResetFactors(sides[number][1].pk)), 2
    )
    assert [answer.state for answer in answers] == ["executed", "executed"]
    assert [factors.held(place) for place in (ben, cleo_there)] == [frozenset()] * 2
    # Each where it was decided, and nowhere else (DESIGN M4).
    assert Authenticator.objects.filter(user__in=[ben.user, cleo.user]).count() == 2
    assert AuditEvent.objects.filter(kind="factor.reset").count() == 2


def test_of_two_factors_one_stays(race, meet, world, ben):
    """F-8: remove ∥ remove; whoever is second is told that it is the last."""
    SoftPasskey().enrolled(ben.user)
    held = (*Authenticator.objects.filter(user=ben.user), *Passkey.objects.filter(user=ben.user))
    stores = [SessionStore(), SessionStore()]
    for store, factor in zip(stores, held, strict=True):
        session_data.start(store, ben, factor=factors.kind_of(factor), mark=factors.mark_of(factor))
    meet(factor_changes, "held_without")
    answers = race(lambda number: factor_changes.remove(held[number], member=ben, store=stores[number]), 2)
    assert kinds(answers) == [Conflict, type(None)]
    assert len(factors.held(ben)) == 1


def test_who_pulls_twice_at_once_has_one_running(race, meet, world, ana, ben, cleo):
    """fault rules-F: suspend ∥ suspend, from two tabs of one member."""
    meet(suspensions, "bar_to_suspend")
    acts = (ben, cleo)
    answers = race(
        lambda number: suspensions.suspend_member(actor=ana, member=acts[number], reason="It has to stop."), 2
    )
    assert kinds(answers) == [type(None), Refused]
    assert Member.objects.filter(suspended_by=ana, suspended_until__isnull=False).count() == 1


def test_a_brake_and_the_request_that_keeps_out_leave_the_request(race, meet, world, owner, ana, ben, cleo):
    """fault rules-F: keep out ∥ suspend; whichever comes first, Ben stays out without an end."""
    change = propose(keep_out, actor=ana, params=KeepOut(ben.pk))
    meet(suspensions, "bar_to_suspend")
    acts = (
        lambda: yes(change, cleo),
        lambda: suspensions.suspend_member(actor=owner, member=ben, reason="It has to stop."),
    )
    race(lambda number: acts[number](), 2)
    ben.refresh_from_db()
    assert ben.suspended_at is not None
    assert ben.suspended_until is None


def test_sessions_are_ended_once_however_many_ask_at_once(race, ana, ben):
    """fault security-M3: end ∥ end, from many tabs of one member."""
    answers = race(lambda _: end_sessions.end_of(ben, by=ana, reason="It has to stop."), 4)
    assert [type(answer) for answer in answers].count(Refused) == 3
    assert AuditEvent.objects.filter(kind="session.ended", actor_id=ana.pk).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_organizations_that_invite_one_new_address_at_once_make_one_person(world, race):
    """fault security-L2: the second to accept was an Internal Server Error, six of six times."""
    doors = [
        invitations.open_invitation(
            organization=inviter.organization, email="both@demo.test", name="", rights=(), invited_by=inviter
        )
        for inviter in (world.members["owner"], world.members["eve"])
    ]

    def accept(number: int) -> object:
        return invitations.accept(doors[number], name=f"Nora {number}", password="another lighthouse above")

    answers = race(accept, 2)
    joined = [answer for answer in answers if isinstance(answer, Member)]
    refused = [answer for answer in answers if isinstance(answer, Conflict)]
    assert (len(joined), len(refused)) == (1, 1), answers
    assert "Sign in" in refused[0].message
    assert User.objects.filter(email="both@demo.test").count() == 1
