"""What can go wrong between a gateway and an exchange: one function each, which answers a request in its own way.

A fault is given the request's `Turn`. Those that take `executed` first let the exchange do what was asked, or keep it
from it: the two that a gateway cannot tell apart.
"""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Final, Protocol, TypeAlias

from tests.gateway.proxy.traffic import Answer, Request

# As the network in front of the exchange words what it has to say itself.
PAGE: Final = (
    "<!DOCTYPE html>\n<html><head><title>api.example.test | {status}: {name}</title></head>\n"
    "<body><h1>Error {status}</h1><p>{name}</p></body></html>\n"
)
NAMES: Final = {
    502: "Bad gateway", 503: "Service unavailable", 504: "Gateway time-out", 520: "Web server returns an unknown error",
    522: "Connection timed out", 525: "SSL handshake failed",
}  # fmt: skip


class Turn(Protocol):
    """A request whose turn it is, and what may be done with it."""

    request: Request

    def forward(self) -> Answer:
        """Let the exchange execute it; its answer."""

    def say(self, answer: Answer, *, length: int | None = None, sent: int | None = None) -> None:
        """Send this answer, its length said as `length`, and of its body no more than `sent` bytes."""

    def hang_up(self, *, hard: bool = False) -> None:
        """Close the connection without a word more; `hard`: with a reset."""

    def wait(self, seconds: float, until: Event | None = None) -> None:
        """Let time pass, or less if the proxy is closed or `until` happens."""


Fault: TypeAlias = Callable[[Turn], None]


def none(turn: Turn) -> None:
    """Nothing goes wrong."""
    turn.say(turn.forward())


def answer_lost(turn: Turn) -> None:
    """It was executed, and the connection ends without a byte of the answer."""
    turn.forward()
    turn.hang_up()


def cut_before(turn: Turn) -> None:
    """The connection ends before the exchange has seen anything."""
    turn.hang_up()


def reset_before(turn: Turn) -> None:
    """The same with a reset."""
    turn.hang_up(hard=True)


def reset_after(turn: Turn) -> None:
    """It was executed, and the connection is reset."""
    turn.forward()
    turn.hang_up(hard=True)


def cut_in_the_middle(turn: Turn) -> None:
    """It was executed, and half of the answer comes."""
    answer = turn.forward()
    turn.say(answer, sent=len(answer.body) // 2)
    turn.hang_up()


def longer_than_it_is(turn: Turn) -> None:
    """It was executed, and the answer says that more of it comes than does."""
    answer = turn.forward()
    turn.say(answer, length=len(answer.body) + 10)
    turn.hang_up()


def shorter_than_it_is(turn: Turn) -> None:
    """It was executed, and the answer says that less of it comes than does: the rest would begin the next one."""
    answer = turn.forward()
    turn.say(answer, length=len(answer.body) - 10)


def gzipped(turn: Turn) -> None:
    """It was executed, and the answer comes compressed, whether that was asked for or not."""
    answer = turn.forward()
    turn.say(_compressed(answer, gzip.compress(answer.body)))


def gzip_broken(turn: Turn) -> None:
    """It was executed, and what comes compressed cannot be read to its end."""
    answer = turn.forward()
    turn.say(_compressed(answer, gzip.compress(answer.body)[:-12]))


def gzip_in_name_only(turn: Turn) -> None:
    """It was executed, and the answer says that it is compressed and is not."""
    answer = turn.forward()
    turn.say(_compressed(answer, answer.body))


def truncated_json(*, executed: bool) -> Fault:
    """A whole answer of HTTP whose JSON ends in the middle."""

    def fault(turn: Turn) -> None:
        body = turn.forward().body if executed else b'{"error":[],"result":{"refid":"AAAAAA-AAAAAA"}}'
        turn.say(Answer(200, body[: len(body) // 2]))

    return fault


def slow(seconds: float, *, executed: bool = True, until: Event | None = None) -> Fault:
    """The answer comes after that time: it was executed at once, or only then, if somebody still waits or not."""

    def fault(turn: Turn) -> None:
        answer = turn.forward() if executed else None
        turn.wait(seconds, until)
        turn.say(answer or turn.forward())

    return fault


def dripping(seconds: float) -> Fault:
    """It was executed, and its answer comes in ten pieces over that time: none of them late by itself."""

    def fault(turn: Turn) -> None:
        answer = turn.forward()
        step = max(1, len(answer.body) // 10)
        turn.say(answer, sent=0)
        for start in range(0, len(answer.body), step):
            turn.wait(seconds / 10)
            turn.say(Answer(0, answer.body[start : start + step]))

    return fault


def page(status: int, *, executed: bool) -> Fault:
    """HTML from the network in front of the exchange: 502, 503, 504, 520, 522, 525."""

    def fault(turn: Turn) -> None:
        if executed:
            turn.forward()
        text = PAGE.format(status=status, name=NAMES[status])
        turn.say(Answer(status, text.encode(), (("Content-Type", "text/html; charset=UTF-8"), ("Server", "edge"))))

    return fault


def error(*strings: str, executed: bool = False, status: int = 200, **beside: Any) -> Fault:
    """The exchange's envelope with those errors, such as `EService:Unavailable`; `result=…` stands beside them."""

    def fault(turn: Turn) -> None:
        if executed:
            turn.forward()
        turn.say(Answer(status, json.dumps({"error": list(strings), **beside}).encode()))

    return fault


def shape(body: bytes | Any, *, executed: bool = False, status: int = 200, kind: str = "application/json") -> Fault:
    """Any other answer: bytes as they are, or whatever JSON can say."""

    def fault(turn: Turn) -> None:
        if executed:
            turn.forward()
        turn.say(
            Answer(status, body if isinstance(body, bytes) else json.dumps(body).encode(), (("Content-Type", kind),))
        )

    return fault


def changed(change: Callable[[Any], Any]) -> Fault:
    """It was executed, and the answer is what `change` makes of its `result`."""

    def fault(turn: Turn) -> None:
        envelope = turn.forward().read()
        turn.say(Answer(200, json.dumps({**envelope, "result": change(envelope.get("result"))}).encode()))

    return fault


def redirect(status: int, location: str) -> Fault:
    """Another address is named; nothing was executed."""
    return lambda turn: turn.say(Answer(status, b"", (("Location", location),)))


def wrong_nonce(turn: Turn) -> None:
    """Not executed: somebody used a higher one, or the clock was behind."""
    error("EAPI:Invalid nonce")(turn)


def lockout(turn: Turn) -> None:
    """Not executed, and each further try would begin the time again."""
    error("EGeneral:Temporary lockout")(turn)


@dataclass
class HeldBack:
    """A fault: the request waits on its way until the test lets it go, though the gateway has long hung up."""

    executed: bool = False
    arrived: Event = field(default_factory=Event)
    _let_go: Event = field(default_factory=Event)
    done: Event = field(default_factory=Event)

    def __call__(self, turn: Turn) -> None:
        """`executed`: it is its answer that waits, not the request."""
        answer = turn.forward() if self.executed else None
        self.arrived.set()
        turn.wait(60, self._let_go)
        try:
            turn.say(answer or turn.forward())
        finally:
            self.done.set()

    def let_go(self) -> None:
        """Let it come through, and wait until it has."""
        self._let_go.set()
        assert self.done.wait(30)


def _compressed(answer: Answer, body: bytes) -> Answer:
    return Answer(answer.status, body, (*answer.headers, ("Content-Encoding", "gzip")))
