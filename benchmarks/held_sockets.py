"""`python -m benchmarks.held_sockets URL NUMBER`: holds so many sockets, and says when; a process of its own.

It reads `open TOKEN` and `close`, one a line, and answers each with `done` once it is so.
"""

import asyncio
import json
import sys
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

CHANNELS = ("balances", "executions")
# Handshakes at a time.
AT_ONCE = 10


async def main(url: str, number: int) -> None:
    """Until nothing more is to be read."""
    held: list[tuple[ClientConnection, asyncio.Task[None]]] = []
    turn = asyncio.Semaphore(AT_ONCE)
    while line := await asyncio.to_thread(sys.stdin.readline):
        asked, _, token = line.strip().partition(" ")
        if asked == "open":
            held = await asyncio.gather(*(_opened(url, token, turn) for _ in range(number)))
        else:
            await asyncio.gather(*(_closed(*each) for each in held))
            held = []
        sys.stdout.write("done\n")
        sys.stdout.flush()


async def _opened(url: str, token: str, turn: asyncio.Semaphore) -> tuple[ClientConnection, asyncio.Task[None]]:
    async with turn:
        wire = await connect(url, compression=None, open_timeout=30)
        for channel in CHANNELS:
            await wire.send(json.dumps({"method": "subscribe", "params": {"channel": channel, "token": token}}))
        told = 0
        while told < len(CHANNELS):
            frame = json.loads(await wire.recv())
            assert frame.get("success") is not False, frame
            told += frame.get("type") == "snapshot"
    return wire, asyncio.create_task(_read(wire))


async def _read(wire: ClientConnection) -> None:
    with suppress(ConnectionClosed):
        async for _ in wire:
            pass


async def _closed(wire: ClientConnection, reading: "asyncio.Task[None]") -> None:
    await wire.close()
    await reading


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
