"""Which WebSockets come in, and an end to what a client can make one of them keep."""

import asyncio
import base64
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager, suppress
from itertools import repeat
from typing import Any

import pytest
import uvicorn

from portal.core.web.door import sockets
from portal.core.web.door.bodies import Bodies
from portal.core.web.door.serving import Door
from portal.core.web.door.sockets import BoundedSocket
from tests.serving import streaming

Message = MutableMapping[str, Any]
Application = Callable[[Any, Any, Any], Awaitable[None]]
TEXT, BINARY, CLOSE, PING, MORE = 1, 2, 8, 9, 0
LIMIT = 1000


def no_pages(environ, start_response):
    raise AssertionError("no page is asked for")


def no_lines(path):
    raise AssertionError("no page is asked for")


def entered(path: str, raw_path: bytes, kind: str = "websocket") -> tuple[list[str], list[Message]]:
    """Who served it, and what was said, of one connection at a door that knows `/v2`."""
    served: list[str] = []
    said: list[Message] = []

    async def bots(scope, receive, send):
        served.append(scope["path"])

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        said.append(message)

    bodies = Bodies(limit=1, at_once=1, deadline=1, slow=1, slow_of_source=1)
    door = Door(no_pages, line_of=no_lines, bodies=bodies, sockets={"/v2": bots})
    asyncio.run(door({"type": kind, "path": path, "raw_path": raw_path, "headers": []}, receive, send))
    return served, said


def test_a_socket_comes_in_by_its_one_path():
    assert entered("/v2", b"/v2") == (["/v2"], [])


@pytest.mark.parametrize(
    ("path", "raw_path"),
    [("/", b"/"), ("/v2/", b"/v2/"), ("/V2", b"/V2"), ("/v2", b"/%76%32"), ("/inbox/", b"/inbox/"), ("//v2", b"//v2")],
)
def test_any_other_path_is_refused_before_the_handshake(path, raw_path):
    """Written in one way only, so that a proxy's rule about it sees every socket."""
    assert entered(path, raw_path) == ([], [{"type": "websocket.close", "code": 4404}])


def test_what_is_neither_a_request_nor_a_socket_is_left_alone():
    assert entered("/v2", b"/v2", "something.else") == ([], [])


def test_what_has_to_be_done_is_done_before_the_server_ends():
    """uvicorn kills its process by the signal that it got: what was counted in the last second was lost with it."""
    messages = iter(["lifespan.startup", "lifespan.shutdown"])
    told: list[str] = []

    async def receive() -> Message:
        return {"type": next(messages)}

    async def send(message: Message) -> None:
        told.append(message["type"])

    bodies = Bodies(limit=1, at_once=1, deadline=1, slow=1, slow_of_source=1)
    door = Door(no_pages, line_of=no_lines, bodies=bodies, sockets={}, at_end=lambda: told.append("flushed"))
    asyncio.run(door({"type": "lifespan"}, receive, send))
    assert told == ["lifespan.startup.complete", "flushed", "lifespan.shutdown.complete"]
    assert "--lifespan on" in " ".join(streaming())


async def hears(scope, receive, send) -> None:
    """Takes everything, and says nothing."""
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def talks_on(scope, receive, send) -> None:
    """Says more than anybody reads."""
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        await send({"type": "websocket.send", "text": "x" * LIMIT})


async def goes(scope, receive, send) -> None:
    """Says as much as fits, and goes once nobody reads on."""
    with suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            await talks_on(scope, receive, send)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        for pause in repeat(0.01):
            if condition():
                return
            await asyncio.sleep(pause)


@asynccontextmanager
async def served(application: Application, **options: Any) -> AsyncIterator[tuple[uvicorn.Server, int]]:
    """A server of sockets as in production, and its port."""
    config = uvicorn.Config(
        application, ws=BoundedSocket, ws_max_size=LIMIT, ws_per_message_deflate=False, lifespan="off",
        log_config=None, port=0, timeout_graceful_shutdown=1, **options,
    )  # fmt: skip
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve())
    await until(lambda: server.started)
    try:
        yield server, server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await running


class Client:
    """Bare frames over a socket, so that what no library would send is sent."""

    def __init__(self, port: int) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port))
        self.connection.setblocking(False)

    async def connect(self) -> bytes:
        key = base64.b64encode(os.urandom(16)).decode()
        ask = (
            f"GET /v2 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
        )
        await self.send(f"{ask}Sec-WebSocket-Version: 13\r\n\r\n".encode())
        return await self.read()

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.connection, data)

    async def read(self) -> bytes:
        async with asyncio.timeout(5):
            return await asyncio.get_running_loop().sock_recv(self.connection, 4096)


def frame(kind: int, data: bytes = b"", *, is_last: bool = True) -> bytes:
    """Masked with zeros."""
    assert len(data) < 126
    return bytes([(0x80 if is_last else 0) | kind, 0x80 | len(data)]) + bytes(4) + data


def code_of(data: bytes) -> int:
    assert data[0] == 0x80 | CLOSE, data
    return int.from_bytes(data[2:4])


def told(application: Application, *frames: bytes) -> bytes:
    """What a client hears that sends these."""

    async def run() -> bytes:
        async with served(application) as (_, port):
            client = Client(port)
            assert b" 101 " in await client.connect()
            for each in frames:
                await client.send(each)
            answer = await client.read()
            client.connection.close()
            return answer

    return asyncio.run(run())


def test_a_message_in_ever_more_pieces_is_not_kept():
    """Empty pieces count towards no size."""
    pieces = [frame(TEXT, b"{", is_last=False), *[frame(MORE, is_last=False)] * sockets.MOST_FRAGMENTS]
    assert code_of(told(hears, *pieces)) == 1009
    fine = [frame(TEXT, b"{", is_last=False), *[frame(MORE, is_last=False)] * 20, frame(MORE), frame(PING, b"here?")]
    assert told(hears, *fine) == b"\x8a\x05here?"


def test_a_message_longer_than_the_limit_is_not_read():
    half = [frame(TEXT, b"x" * 100, is_last=False), *[frame(MORE, b"x" * 100, is_last=False)] * 10]
    assert code_of(told(hears, *half)) == 1009


def test_what_is_no_text_closes_its_socket_and_is_no_fault_in_the_log(caplog):
    caplog.set_level("INFO")
    assert code_of(told(hears, frame(TEXT, b"\xff\xfe"))) == 1007
    assert "Traceback" not in caplog.text
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_pongs_that_nobody_reads_do_not_pile_up():
    async def run() -> int:
        async with served(talks_on) as (server, port):
            client = Client(port)
            await client.connect()
            (protocol,) = server.server_state.connections
            assert isinstance(protocol, BoundedSocket)
            await until(lambda: not protocol.writable.is_set())
            full = protocol.transport.get_write_buffer_size()
            protocol.transport.resume_reading()
            for _ in range(50):
                await client.send(frame(PING, b"x" * 100) * 100)
            await asyncio.sleep(0.1)
            grown = protocol.transport.get_write_buffer_size() - full
            client.connection.close()
            return grown

    assert asyncio.run(run()) <= 0


def test_a_client_that_answers_no_ping_is_cut_off_though_it_reads_nothing():
    """Its last words would otherwise wait in memory for as long as it likes."""

    async def run() -> None:
        async with served(talks_on, ws_ping_interval=0.1, ws_ping_timeout=0.1) as (server, port):
            client = Client(port)
            await client.connect()
            await until(lambda: not server.server_state.connections and not server.server_state.tasks)
            client.connection.close()

    asyncio.run(run())


def test_last_words_that_nobody_reads_end_too(monkeypatch):
    monkeypatch.setattr(sockets, "LAST_WORDS_SECONDS", 0.2)

    async def run() -> None:
        async with served(goes) as (server, port):
            client = Client(port)
            await client.connect()
            await until(lambda: not server.server_state.connections)
            client.connection.close()

    asyncio.run(run())


def test_a_flood_of_tiny_messages_is_read_a_little_at_a_time():
    most = [0]

    async def slow(scope, receive, send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await asyncio.sleep(0.3)
        most[0] = receive.__self__.queue.qsize()

    async def run() -> None:
        async with served(slow) as (_, port):
            client = Client(port)
            await client.connect()
            await client.send(frame(TEXT) * 20_000)
            await asyncio.sleep(0.5)
            client.connection.close()

    asyncio.run(run())
    assert 0 < most[0] <= sockets.READ_AT_ONCE / len(frame(TEXT)) + 1
