"""The load generator against servers that answer rightly, wrongly and not at all."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count

import pytest

from benchmarks.load import answers, generator, takers
from benchmarks.load.generator import drive
from benchmarks.load.signing import Key, in_turn, plain, signed
from benchmarks.load.wires import BadAnswer, connect
from tests.api.calls import sign

KEY = Key("public", "c2VjcmV0", "10.1.2.3")
GET = plain("/balance/1", KEY)
BALANCES = {"XXBT": "1.0000000000"}
RIGHT = {"error": [], "result": BALANCES}


def response(body: bytes, status: str = "200 OK", length: int | None = None) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n".encode() + body


@contextmanager
def server(answer: Callable[[int], list[bytes]]) -> Iterator[int]:
    """Its port. Each request gets the pieces that `answer` has for its number; none hangs up."""
    numbers = count()

    def serve(connected: socket.socket) -> None:
        with connected, suppress(OSError):
            while connected.recv(65536):
                pieces = answer(next(numbers))
                if not pieces:
                    return
                for piece in pieces:
                    connected.sendall(piece)

    def accept() -> None:
        while True:
            try:
                connected, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connected,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def driven(answer: Callable[[int], list[bytes]], *, connections: int = 2, seconds: float = 0.05, ready: int = 5):
    with server(answer) as port:
        opened = connect(port, [GET] * connections)
        try:
            return drive(opened, [answers.giving(BALANCES)] * connections, seconds, ready)
        finally:
            for wire in opened:
                wire.close()


def test_every_answer_is_timed_and_counted():
    body = json.dumps(RIGHT).encode()
    found = driven(lambda _: [response(body)])
    assert found.calls == len(found.took) > 10
    assert found.seconds >= 0.05
    assert list(found.took) == sorted(found.took)
    # Five were ready for each connection; the others had to be made meanwhile, which is said.
    assert found.late == found.calls - 10


def test_an_answer_in_pieces_is_one_answer():
    whole = response(json.dumps(RIGHT).encode())
    assert driven(lambda _: [whole[:9], whole[9:30], whole[30:]]).calls > 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: response(b'{"error":["EAPI:Invalid nonce"]}'), "refused"),
        (lambda: response(json.dumps({"error": [], "result": {"XXBT": "2.0000000000"}}).encode()), "was due"),
        (lambda: response(b"{"), "no envelope"),
        (lambda: response(b'{"result":{}}'), "no envelope"),
        (lambda: response(b"", "503 Service Unavailable"), "503"),
        (lambda: b"HTTP/1.1 200 OK\r\n\r\n{}", "how long"),
        (lambda: response(json.dumps(RIGHT).encode(), length=3), "More came back"),
        (lambda: b"", "hung up"),
    ],
)
def test_one_wrong_answer_among_right_ones_ends_the_run(wrong, said):
    body = json.dumps(RIGHT).encode()
    with pytest.raises(BadAnswer, match=said):
        driven(lambda number: [piece] if (piece := wrong() if number == 7 else response(body)) else [])


def test_a_server_that_falls_silent_ends_the_run(monkeypatch):
    monkeypatch.setattr(generator, "ANSWERED_WITHIN", 0.2)
    body = json.dumps(RIGHT).encode()
    with pytest.raises(BadAnswer, match="No answer"):
        driven(lambda number: [response(body) if number < 3 else response(body)[:-1]])


def test_what_counts_has_to_rise_by_every_call():
    check = answers.rising("calls")
    check(b'{"error":[],"result":{"calls":7}}')
    check(b'{"error":[],"result":{"calls":9}}')
    with pytest.raises(BadAnswer):
        check(b'{"error":[],"result":{"calls":9}}')


def test_an_empty_result_is_no_answer_where_something_was_asked_for():
    answers.holding("open")(b'{"error":[],"result":{"open":{"O1":{}}}}')
    with pytest.raises(BadAnswer):
        answers.holding("open")(b'{"error":[],"result":{"open":{}}}')


def test_requests_are_signed_as_the_protocol_says_and_their_nonces_rise():
    asked = signed(KEY, "QueryOrders", lambda number: {"txid": f"O{number}"})
    nonces = []
    for number in range(3):
        head, _, body = asked().partition(b"\r\n\r\n")
        fields = dict(part.split("=") for part in body.decode().split("&"))
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        assert fields["txid"] == f"O{number}"
        assert headers["Content-Length"] == str(len(body))
        assert headers["API-Sign"] == sign(KEY.secret, "/0/private/QueryOrders", fields["nonce"], body)
        nonces.append(int(fields["nonce"]))
    assert nonces == sorted(set(nonces))


def test_keys_that_take_turns_each_ask_once_before_the_first_asks_again():
    asked = in_turn([lambda: b"one", lambda: b"two"])
    assert [asked() for _ in range(3)] == [b"one", b"two", b"one"]


def test_connections_are_spread_over_the_processes(monkeypatch):
    """Which process takes a connection is chance, and one that idles would make a server look slow."""
    turns = iter([1, 1, 1, 1, 2, 1, 2, 2])
    monkeypatch.setattr(takers, "process_of", lambda *_: next(turns))
    with server(lambda _: []) as port:
        opened = connect(port, [GET] * 4, processes=(1, 2))
        assert len(opened) == 4
        assert next(turns) == 2  # two each were found among the first seven
        for wire in opened:
            wire.close()


def test_who_took_a_connection_is_known_where_the_system_says_it():
    with server(lambda _: []) as port:
        (wire,) = connect(port, [GET])
        try:
            found = takers.process_of(wire.socket, [os.getpid()])
        finally:
            wire.close()
    assert found == (os.getpid() if takers.TABLE.exists() else None)
