"""A second factor shown again: how long it serves, and for what."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.authentication import session_data
from accounts.authentication.step_up import SessionStepUp
from accounts.factors.enrolled import mark_of
from accounts.models import Authenticator
from accounts.models.second_factor import code_at, current_step
from portal.audit.models import AuditEvent
from portal.core.errors import Invalid
from portal.core.secrets.sealing import unseal

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as frozen:
        yield frozen


@pytest.fixture
def session_of():
    """The session of a member whose sign-in was `ago`."""

    def make(member, ago: timedelta = timedelta()) -> SessionStore:
        store = SessionStore()
        with time_machine.travel(timezone.now() - ago, tick=False):
            session_data.start(store, member, factor="totp", mark=mark_of(Authenticator.objects.get(user=member.user)))
        store.save()
        return store

    return make


def code_now(member) -> str:
    device = Authenticator.objects.get(user=member.user)
    return code_at(unseal(device.sealed_seed, place=device.place), current_step())


def test_the_sign_in_itself_serves_for_five_minutes(clock, owner, session_of):
    """SU-1: 5:01 later: asked again."""
    step_up = SessionStepUp(session_of(owner), owner)
    clock.shift(timedelta(minutes=4, seconds=59))
    assert step_up.recent() is not None
    clock.shift(timedelta(seconds=2))
    assert step_up.recent() is None


def test_a_step_up_opens_the_next_five_minutes(clock, owner, session_of):
    """SU-1: where no money moves, one serves."""
    step_up = SessionStepUp(session_of(owner, ago=timedelta(hours=1)), owner)
    assert step_up.recent() is None
    proof = step_up.verify(code_now(owner))
    assert (proof.factor, proof.at, proof.change) == ("totp", timezone.now(), "")
    clock.shift(timedelta(minutes=4, seconds=59))
    assert step_up.recent() == proof


def test_a_proof_for_a_decision_opens_nothing_else(clock, owner, session_of):
    """SU-2: it is bound to one request and its digest, and kept nowhere."""
    store = session_of(owner, ago=timedelta(hours=1))
    step_up = SessionStepUp(store, owner)
    before = dict(store.items())
    proof = step_up.verify(code_now(owner), change="ABCD", digest="0" * 64)
    assert (proof.change, proof.digest) == ("ABCD", "0" * 64)
    assert step_up.recent() is None
    assert dict(store.items()) == before


@pytest.mark.parametrize("bound", [{}, {"change": "ABCD", "digest": "0" * 64}])
def test_the_session_key_changes(owner, session_of, bound):
    """SU-4: a copy of the older cookie fails."""
    store = session_of(owner, ago=timedelta(hours=1))
    old = store.session_key
    SessionStepUp(store, owner).verify(code_now(owner), **bound)
    assert store.session_key != old
    assert not Session.objects.filter(session_key=old).exists()


def test_a_code_used_at_sign_in_does_not_pass_again(clock, client, owner, sign_in):
    """SU-5: same code twice."""
    sign_in(client, owner)
    clock.shift(timedelta(minutes=5))
    used = code_now(owner)
    visitor = Client()
    visitor.post("/sign-in/", {"email": owner.user.email, "password": "a long walk by the harbour"})
    assert visitor.post("/sign-in/code/", {"code": used}).status_code == 302
    with pytest.raises(Invalid) as refused:
        SessionStepUp(SessionStore(), owner).verify(used)
    assert refused.value.field == "code"


def test_a_refused_code_leaves_the_session_as_it_was(owner, session_of):
    store = session_of(owner, ago=timedelta(hours=1))
    old = store.session_key
    with pytest.raises(Invalid):
        SessionStepUp(store, owner).verify(f"{(int(code_now(owner)) + 1) % 1_000_000:06d}")
    assert store.session_key == old
    assert SessionStepUp(store, owner).recent() is None
    assert Authenticator.objects.get(user=owner.user).throttling_failure_count == 1


def test_step_ups_are_in_the_history(owner, session_of):
    """AU-2: passed and refused, and what for."""
    step_up = SessionStepUp(session_of(owner, ago=timedelta(hours=1)), owner)
    with pytest.raises(Invalid):
        step_up.verify("12345")
    step_up.verify(code_now(owner), change="ABCD", digest="0" * 64)
    told = AuditEvent.objects.filter(kind__startswith="step_up").order_by("pk")
    assert [(event.kind, event.outcome, event.data["change"]) for event in told] == [
        ("step_up.failed", "refused", ""),
        ("step_up.succeeded", "success", "ABCD"),
    ]


def test_signing_out_ends_the_window(client, owner, sign_in):
    """SU-4: the marks live in the session and end with it."""
    sign_in(client, owner)
    assert "proved_at" in client.session
    client.post("/sign-out/")
    assert "proved_at" not in client.session


def test_a_factor_shown_to_another_organization_serves_where_its_level_takes_it(world, owner):
    """SU-1, F-12: an app shown where apps count is no step-up where only passkeys do."""
    store = SessionStore()
    session_data.note_proof(store, "totp", mark_of(Authenticator.objects.get(user=owner.user)))
    step_up = SessionStepUp(store, owner)
    assert step_up.recent() is not None
    owner.organization.second_factor_level = "passkey"
    assert step_up.recent() is None
