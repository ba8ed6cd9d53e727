"""What a socket may ask for, and who answers it."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from portal.api import gateway
from portal.api.protocol.envelope import ApiError, Error, error_for
from portal.api.stream import frames, subscribing, trading
from portal.api.stream.connection import Connection
from portal.api.stream.frames import Asked
from portal.api.stream.keys.authorization import authorize, count_refused, note_refusal
from portal.api.stream.threads import run, run_for
from portal.core.errors import DomainError
from portal.core.observing.spans import Span, root

if TYPE_CHECKING:
    from portal.api.stream.hub import Hub

# What a request is called in a trace: a name that we gave.
SPANS: Final = {method: f"socket {method}" for method in ("ping", "subscribe", "unsubscribe", *trading.METHODS)}

Answer = Callable[[Connection, Asked], Awaitable[None]]


def answerer(hub: "Hub") -> Answer:
    """What answers the requests of a socket of that hub, in the order in which they came."""

    async def answer(connection: Connection, asked: Asked) -> None:
        with root(SPANS.get(asked.method, "socket unknown"), is_shared=True) as span:
            await _answer(connection, asked, span)

    async def _answer(connection: Connection, asked: Asked, span: Span) -> None:
        try:
            await _carry_out(hub, connection, asked)
        except ApiError as error:
            span.note({"countersign.error": error.answer})
            await run(note_refusal, error, method=asked.method, source=connection.source)
            connection.say(frames.failure(asked, error.error))
            if error.error is Error.INVALID_TOKEN:
                count_refused(connection)
        except DomainError as error:
            string = error_for(error)
            span.note({"countersign.error": string})
            connection.say(frames.failure(asked, string))
        except Exception as error:  # noqa: BLE001 - every request is answered; it is told apart and written down
            connection.say(frames.failure(asked, gateway.note_failure(error, asked.method)))

    return answer


async def _carry_out(hub: "Hub", connection: Connection, asked: Asked) -> None:
    match asked.method:
        case "ping":
            connection.say(frames.pong(asked))
        case "subscribe":
            await subscribing.subscribe(hub, connection, asked)
        case "unsubscribe":
            await subscribing.unsubscribe(hub, connection, asked)
        case method if method in trading.METHODS:
            credential = await authorize(hub.register, connection, asked)
            account = credential.account_id
            for answered in await run_for(account, trading.carry, credential, method, asked.params, connection.source):
                connection.say(_said(asked, answered))
        case _:
            connection.say(frames.failure(asked, Error.UNKNOWN_METHOD))


def _said(asked: Asked, answered: trading.Answer) -> str:
    return frames.success(asked, answered.result) if answered.success else frames.failure(asked, answered.error)
