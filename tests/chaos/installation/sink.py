"""A mail server that takes every mail and keeps it in a file. It runs on a machine that has Python and nothing else."""

import asyncio
import ssl
import sys
from pathlib import Path

KEPT = Path("/var/lib/sink/mails")
GREETINGS = {"EHLO": "250 sink", "HELO": "250 sink", "QUIT": "221 goodbye", "DATA": "354 go on"}


def keep(mail: bytes) -> None:
    """Add it to the others."""
    with KEPT.open("ab") as file:
        file.write(mail + b"\n")


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One client's session (RFC 5321), to its end."""
    try:
        writer.write(b"220 sink\r\n")
        while line := await reader.readline():
            word = line[:4].decode(errors="replace").upper()
            writer.write(f"{GREETINGS.get(word, '250 fine')}\r\n".encode())
            await writer.drain()
            if word == "QUIT":
                break
            if word == "DATA":
                mail = await reader.readuntil(b"\r\n.\r\n")
                await asyncio.to_thread(keep, mail)
                writer.write(b"250 kept\r\n")
                await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def serve(port: int, pair: str = "") -> None:
    """For ever, over TLS if there is a `pair`, which holds a key and its certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if pair else None
    if context is not None:
        context.load_cert_chain(pair)
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    server = await asyncio.start_server(converse, "0.0.0.0", port, limit=2**24, ssl=context)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), *sys.argv[2:]))
