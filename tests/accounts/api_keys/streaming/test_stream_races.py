"""Many connections at once: fifty tokens for a key, one who closes a socket, one note of a first stream."""

import pytest
from django.utils import timezone

from accounts.api_keys.streaming import sockets, tokens
from accounts.api_keys.streaming.sockets import Held
from accounts.models import StreamSocket, StreamToken
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, NotFound

pytestmark = pytest.mark.django_db(transaction=True)
RACERS = 8


def test_who_asks_at_the_same_moment_gets_tokens_that_all_work(race, credential):
    answers = race(lambda _: tokens.issue(credential), RACERS)
    assert len(set(answers)) == RACERS
    assert all(tokens.find(str(token)) for token in answers)


def test_a_full_key_keeps_fifty_tokens_whoever_comes_at_once(race, credential):
    """issue ∥ issue ∥ sweep: each makes room for its own one."""
    for _ in range(tokens.KEPT - 1):
        tokens.issue(credential)
    answers = race(lambda number: tokens.issue(credential) if number else tokens.sweep(), RACERS)
    assert StreamToken.objects.filter(api_key_id=credential.id).count() == tokens.KEPT
    assert all(tokens.find(str(token)) for token in answers[1:]), answers


def test_two_members_close_a_socket_once(race, credential, ana, owner):
    sockets.seen("here", [Held(1, credential.id, credential.service_user_id, "", timezone.now())])
    row = StreamSocket.objects.get()
    answers = race(lambda number: sockets.ask_to_close(row.pk, (ana, owner)[number]), 2)
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "StreamSocket"], answers
    assert any(isinstance(answer, Conflict) for answer in answers)
    assert AuditEvent.objects.filter(kind="stream.closed").count() == 1


def test_a_socket_that_ends_while_it_is_closed_leaves_no_row(race, credential, ana):
    """ask ∥ seen ∥ closed: nothing but a clean no, and nothing stays that nobody holds."""
    held = Held(1, credential.id, credential.service_user_id, "", timezone.now())
    sockets.seen("here", [held])
    row = StreamSocket.objects.get()
    acts = (
        lambda: sockets.ask_to_close(row.pk, ana),
        lambda: sockets.seen("here", [held]),
        lambda: sockets.to_close("here"),
    )
    answers = race(lambda number: acts[number % 3](), 6)
    assert {type(answer) for answer in answers} <= {StreamSocket, Conflict, NotFound, frozenset, type(None)}, answers
    sockets.closed("here", sockets.to_close("here"))
    assert not StreamSocket.objects.exists()


def test_the_first_stream_of_a_key_is_noted_once(race, credential):
    def opened(number: int) -> None:
        held = Held(number, credential.id, credential.service_user_id, "203.0.113.9", timezone.now())
        sockets.opened(credential, "here", held)

    assert race(opened, RACERS) == [None] * RACERS
    assert AuditEvent.objects.filter(kind="stream.opened").count() == 1
    assert StreamSocket.objects.count() == RACERS


def test_two_processes_say_what_they_hold_without_waiting_for_each_other(race, credential):
    """The rows of each are its own, and go in one order."""

    def said(number: int) -> None:
        rows = [Held(n, credential.id, credential.service_user_id, "", timezone.now()) for n in range(40)]
        for _ in range(5):
            sockets.seen(f"process {number % 2}", rows if number < 2 else reversed(rows))
            sockets.closed(f"process {number % 2}", range(20))

    assert race(said, 4) == [None] * 4
    sockets.prune()
    assert StreamSocket.objects.count() == 40
