"""Whole requests before a thread is taken: bodies in time, too late or too long, and who went away meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import pytest

from portal.core.web.door.bodies import Bodies, Late, TooLong, source_of
from portal.core.web.door.environ import environ_of
from portal.core.web.door.serving import Answer, Door, Line

LATE, FULL = Answer(408, [("Connection", "close")], b"late"), Answer(503, [], b"full")
LIMIT = 10
AT_ONCE, DEADLINE = 0.05, 0.4
SOURCE = "203.0.113.7"

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


def scope(method: str = "POST", source: str = SOURCE, **headers: str) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": "/somewhere",
        "query_string": b"",
        "http_version": "1.1",
        "scheme": "http",
        "client": (source, 4711),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }


def sends(*pieces: bytes, ends: bool = True) -> Receive:
    """A sender of these pieces, who then is silent if that is not the end."""
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    if ends:
        messages[-1]["more_body"] = False
    return said(messages)


def said(messages: Iterable[Message]) -> Receive:
    left = iter(messages)

    async def receive() -> Message:
        for message in left:
            return message
        await asyncio.sleep(10 * DEADLINE)
        raise AssertionError("nobody waits that long")

    return receive


def bodies(slow: int = 10, slow_of_source: int = 10) -> Bodies:
    return Bodies(limit=LIMIT, at_once=AT_ONCE, deadline=DEADLINE, slow=slow, slow_of_source=slow_of_source)


def read(receive: Receive, **headers: str) -> bytes:
    return asyncio.run(reading(bodies(), receive, **headers))


async def reading(waiting: Bodies, receive: Receive, source: str = SOURCE, **headers: str) -> bytes:
    """What the door does first with a request that has a body."""
    environ = environ_of(scope(source=source, **headers))
    return await waiting.read(environ.get("CONTENT_LENGTH", ""), source_of(environ), receive)


def test_a_body_is_put_together_from_its_pieces():
    assert read(sends(b"non", b"ce=", b"1")) == b"nonce=1"
    assert read(sends(b"x" * LIMIT), content_length=str(LIMIT)) == b"x" * LIMIT


@pytest.mark.parametrize("length", ["11", "999999999999", "9999999999999", "-1", "1e1", "+1", "1,1"])
def test_what_says_that_it_is_too_long_or_no_length_is_not_read(length):
    with pytest.raises(TooLong) as refused:
        read(sends(b"never asked for", ends=False), content_length=length)
    assert refused.value.length > LIMIT


def test_what_turns_out_too_long_is_read_no_further():
    """Nobody fills the memory by a body that does not say how long it is."""
    with pytest.raises(TooLong) as refused:
        read(sends(b"x" * 8, b"x" * 8, ends=False))
    assert refused.value.length == 16


def test_who_hangs_up_is_waited_for_no_longer():
    with pytest.raises(ConnectionError):
        read(said([{"type": "http.request", "body": b"non", "more_body": True}, {"type": "http.disconnect"}]))


def test_a_body_that_does_not_come_holds_its_place_until_the_deadline_only():
    waiting = bodies()
    standing = []

    async def half() -> None:
        task = asyncio.ensure_future(reading(waiting, sends(b"non", ends=False)))
        for seconds in (0.0, 3 * AT_ONCE):
            await asyncio.sleep(seconds)
            standing.append(waiting.waiting.total())
        await task

    with pytest.raises(Late):
        asyncio.run(half())
    assert standing == [0, 1]
    assert not waiting.waiting


@pytest.mark.parametrize(("slow", "slow_of_source", "neighbour"), [(10, 1, "waits"), (1, 10, "turned away")])
def test_without_a_place_the_slow_are_turned_away_at_once(slow, slow_of_source, neighbour):
    """fault security-M7: one source has so many slow bodies, and all together so many."""
    waiting = bodies(slow, slow_of_source)

    async def crowd() -> list[bool]:
        """Who still waits a while after the places were taken: the first, another of its source, a neighbour."""
        tasks = []
        for source in ("203.0.113.7", "203.0.113.7", "198.51.100.9"):
            tasks.append(asyncio.ensure_future(reading(waiting, sends(b"non", ends=False), source)))
            await asyncio.sleep(0.01)
        await asyncio.sleep(3 * AT_ONCE)
        still = [not task.done() for task in tasks]
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(ended, Late)
        return still

    assert asyncio.run(crowd()) == [True, False, neighbour == "waits"]
    assert not waiting.waiting


class Pieces(list[bytes]):
    """An answer as Django gives it, which has to be closed."""

    is_closed = False

    def close(self) -> None:
        self.is_closed = True


class Application:
    """Answers 200, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.answered = Pieces([b"who", b"le"])

    def __call__(self, environ, start_response):
        self.asked.append((environ.get("CONTENT_LENGTH", ""), environ["wsgi.input"].read()))
        start_response("200 OK", [("Content-Type", "text/plain "), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        return self.answered


def through_the_door(application, asked: dict[str, Any], receive: Receive) -> list[Message]:
    """Everything that the server is given to send."""
    line = Line("test", threads=1, longest=4, late=LATE, full=FULL)
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(Door(application, line_of=lambda _path: line, bodies=bodies(), sockets={})(asked, receive, send))
    return sent


def test_a_request_is_answered_whole_and_the_answer_closed():
    application = Application()
    start, body = through_the_door(application, scope(), sends(b"non", b"ce=1"))

    assert application.asked == [("7", b"nonce=1")]
    assert (start["type"], start["status"]) == ("http.response.start", 200)
    assert start["headers"] == [(b"content-type", b"text/plain"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    assert body == {"type": "http.response.body", "body": b"whole"}
    assert application.answered.is_closed


def test_nothing_is_waited_for_where_no_body_belongs():
    application = Application()
    start, _ = through_the_door(application, scope("GET"), said([]))

    assert start["status"] == 200
    assert application.asked == [("", b"")]


def test_the_application_refuses_what_is_too_long_by_its_length_alone():
    application = Application()
    through_the_door(application, scope(content_length="5000"), said([]))
    assert application.asked == [(str(LIMIT + 1), b"")]


def test_who_sends_too_slowly_is_told_so_and_takes_no_thread():
    application = Application()
    start, body = through_the_door(application, scope(), sends(b"non", ends=False))

    assert (start["status"], start["headers"], body["body"]) == (408, [(b"connection", b"close")], b"late")
    assert application.asked == []


def test_who_hangs_up_is_told_nothing_and_does_nothing():
    application = Application()
    assert through_the_door(application, scope(), said([{"type": "http.disconnect"}])) == []
    assert application.asked == []


def test_an_application_that_writes_past_its_answer_is_a_fault(caplog):
    def old(environ, start_response):
        start_response("200 OK", [])(b"half of it")
        return []

    start, body = through_the_door(old, scope("GET"), said([]))
    assert start["status"] == 500
    assert b"half" not in body["body"]
    assert "A request was not answered" in caplog.text
