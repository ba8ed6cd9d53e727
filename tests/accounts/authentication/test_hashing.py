"""Digests take their turn: a few at once, nobody for long, and never so many that those already in must wait."""

import os
import signal
import threading
import time
from contextlib import ExitStack

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.authentication import passwords
from accounts.members.invitations import open_invitation
from accounts.models import User
from accounts.security import password_change
from portal.core.errors import Busy
from tests.factories.world import PASSWORD


def test_at_most_half_of_the_threads_are_at_it():
    """fault security-M1: the others never wait for a sign-in."""
    slots = passwords._Slots(2)
    refused, taken, done = [], [], threading.Event()

    def digest() -> None:
        try:
            with slots.one():
                taken.append(1)
                done.wait(10)
        except Busy:
            refused.append(time.monotonic())

    began = time.monotonic()
    threads = [threading.Thread(target=digest) for _ in range(settings.THREADS)]
    for thread in threads:
        thread.start()
    while len(refused) < settings.THREADS - 2 and time.monotonic() - began < 5:
        time.sleep(0.02)
    done.set()
    for thread in threads:
        thread.join()
    assert len(taken) == 2
    at_once = sum(moment - began < 0.5 for moment in refused)
    assert at_once == settings.THREADS // 2, "whoever would be the fifth is told at once"
    assert max(refused) - began < passwords.LONGEST_WAIT_SECONDS + 1
    with slots.one():
        pass  # nothing was kept


def test_a_digest_stands_back_and_whoever_waits_for_it_does_not():
    """A thread that stood back once cannot come forward again: it is never one that answers."""

    def standing() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = standing()
    assert passwords._aside.run(standing) == min(before + passwords.STANDS_BACK, 19) > before
    assert standing() == before
    with pytest.raises(ZeroDivisionError):
        passwords._aside.run(lambda: 1 // 0)
    assert passwords._aside.run(standing) > before, "what was raised has kept no room"


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_digests_in_a_thread_of_its_own():
    passwords._aside.run(int)
    child = os.fork()
    if child == 0:
        os._exit(passwords._aside.run(lambda: 7))
    # One that waits for a thread of its parent's would wait for ever.
    ended = threading.Timer(10, os.kill, (child, signal.SIGKILL))
    ended.start()
    _, status = os.waitpid(child, 0)
    ended.cancel()
    assert os.waitstatus_to_exitcode(status) == 7


@pytest.fixture
def crowd(monkeypatch):
    """So many are at their digests that there is no room for one more."""
    monkeypatch.setattr(passwords, "LONGEST_WAIT_SECONDS", 0.01)
    with ExitStack() as stack:
        for _ in range(passwords.AT_ONCE):
            stack.enter_context(passwords._slots.one())
        yield


def told_to_come_back(answer) -> None:
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "Wait a few seconds, go back, and send it again." in answer.content.decode()


@pytest.mark.django_db
def test_who_finds_a_crowd_at_the_sign_in_is_told_when_to_come_back(owner, crowd):
    """fault operations-F3: 503 with Retry-After and words, for whoever is there and whoever is not."""
    for email in (owner.user.email, "nobody@demo.test"):
        told_to_come_back(Client().post(reverse("accounts:sign_in"), {"email": email, "password": PASSWORD}))


@pytest.mark.django_db
def test_so_is_who_changes_a_password(client, owner, sign_in, monkeypatch):
    sign_in(client, owner)
    monkeypatch.setattr(passwords, "LONGEST_WAIT_SECONDS", 0.01)
    form = {"current": PASSWORD, "password": "another lighthouse above", "again": "another lighthouse above"}
    with passwords._slots.one():
        told_to_come_back(client.post(reverse("accounts:change_password"), form))
    assert User.objects.get(pk=owner.user_id).check_password(PASSWORD)


@pytest.mark.django_db
def test_so_is_who_accepts_an_invitation(client, owner, monkeypatch):
    monkeypatch.setattr("accounts.authentication.email_links.token", lambda *_: "T" * 40, raising=False)
    invitation = open_invitation(
        organization=owner.organization, email="new@demo.test", name="New", rights=(), invited_by=owner
    )
    store = client.session
    store["invitation"] = invitation.token_digest
    store.save()
    client.cookies["session"] = store.session_key
    monkeypatch.setattr(passwords, "LONGEST_WAIT_SECONDS", 0.01)
    form = {"name": "Nora New", "password": "another lighthouse above", "again": "another lighthouse above"}
    with passwords._slots.one():
        told_to_come_back(client.post(reverse("accounts:accept"), form))
    assert not User.objects.filter(email="new@demo.test").exists()
    assert client.post(reverse("accounts:accept"), form).status_code == 302


@pytest.mark.django_db
def test_nothing_is_digested_while_a_lock_is_held(owner, monkeypatch):
    """fault security-M1: a second in line, with a lock, would be a second for everybody behind it."""

    depths = []
    original = passwords.Argon2Hasher.encode
    outside = len(connection.savepoint_ids)

    def encode(self, password, salt):
        depths.append(len(connection.savepoint_ids) - outside)
        return original(self, password, salt)

    monkeypatch.setattr(passwords.Argon2Hasher, "encode", encode)
    password_change.change(owner, current=PASSWORD, new="another lighthouse above", key=None)
    assert depths == [0]


@pytest.mark.django_db
def test_asking_for_a_link_costs_the_same_for_everybody(owner, django_assert_num_queries, monkeypatch):
    """fault security-L3: neither a digest nor a look-up in the request; the worker does what is for the known alone."""
    monkeypatch.setattr(passwords.Argon2Hasher, "encode", None)

    def asked(email: str) -> list[str]:
        with CaptureQueriesContext(connection) as found:
            assert Client().post(reverse("accounts:forgotten"), {"email": email}).status_code == 200
        return statements(found)

    asked("somebody@demo.test")
    assert asked(owner.user.email) == asked("nobody@demo.test")


@pytest.mark.django_db
def test_a_wrong_password_costs_the_same_statements_for_everybody(owner):
    """fault security-L3: the same rows, read and written, whether there is somebody or not."""

    def asked(email: str) -> list[str]:
        with CaptureQueriesContext(connection) as found:
            Client().post(reverse("accounts:sign_in"), {"email": email, "password": "not the password"})
        return statements(found)

    asked("somebody@demo.test")
    assert asked(owner.user.email) == asked("nobody@demo.test")


def statements(found: CaptureQueriesContext) -> list[str]:
    """What was asked of the database, without the values."""
    return [" ".join(query["sql"].split()[: 3 if query["sql"].startswith("INSERT") else 1]) for query in found]
