"""One WebSocket as uvicorn serves it, with an end to what its client can make it keep: for uvicorn's option `--ws`.

uvicorn itself bounds a message, reads no further while one waits for the application, and has the application wait
until what was said before is read. What is left is here.
"""

from asyncio import BaseTransport
from typing import Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

# So much is read at a time, and every message in it is kept until the application has taken them all.
READ_AT_ONCE: Final = 16 * 1024
# The pieces of one message: empty ones count towards no size.
MOST_FRAGMENTS: Final = 64
# What was said last has so many seconds to be read.
LAST_WORDS_SECONDS: Final = 15.0


class BoundedSocket(WebSocketsSansIOProtocol):
    """A WebSocket that is closed, or cut off, where its client would have it keep ever more."""

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin, and read little at a time where the event loop lets that be said."""
        super().connection_made(transport)
        if hasattr(transport, "max_size"):
            transport.max_size = READ_AT_ONCE

    def handle_cont(self, event: Frame) -> None:
        """Take one more piece of a message, or close with 1009: a message of more pieces than anybody sends."""
        if len(self.frames) < MOST_FRAGMENTS:
            super().handle_cont(event)
        else:
            self._fail(CloseCode.MESSAGE_TOO_BIG, "too many fragments")

    def send_receive_event_to_app(self) -> None:
        """Hand a message on, or close with 1007 if it is no text: what strangers send is no fault of ours to log."""
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self._fail(CloseCode.INVALID_DATA, "no UTF-8")
                return
        super().send_receive_event_to_app()

    def handle_ping(self) -> None:
        """Answer, unless the answers to earlier pings are not read (RFC 6455 §5.5.3: the latest suffices)."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def keepalive_timeout(self) -> None:
        """Cut off whoever does not answer pings; to wait until they have read all would be to wait for ever."""
        super().keepalive_timeout()
        self.transport.abort()

    async def run_asgi(self) -> None:
        """Run the application; afterwards the client has a while to read what was said, and no longer."""
        await super().run_asgi()
        self.loop.call_later(LAST_WORDS_SECONDS, self.transport.abort)

    def _fail(self, code: CloseCode, reason: str) -> None:
        self.frames = []
        if not self.close_sent:
            self.conn.fail(code, reason)
            self.handle_parser_exception()
