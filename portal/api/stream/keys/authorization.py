"""Whose socket it is: the token of a request, accepted once and then good as long as the socket is open (§13)."""

from typing import Final

from accounts.api_keys.lifecycle import Credential
from accounts.api_keys.refused_calls import Reason
from accounts.api_keys.streaming import tokens, use
from portal.api import authentication, gateway
from portal.api.protocol.envelope import ApiError, Error
from portal.api.stream.connection import LATER, Connection
from portal.api.stream.frames import Asked
from portal.api.stream.keys.register import Register
from portal.api.stream.threads import run
from portal.core.secrets.sealing import digest

# Whoever shows so many tokens on one socket that open nothing is no client that was late once.
MOST_REFUSED: Final = 20


class TokenRefused(ApiError):
    """A token that opens nothing; `public` is the key that it concerns, if it is known."""

    def __init__(self, unaccepted: tokens.Unaccepted, held: Credential | None) -> None:
        super().__init__(Error.INVALID_TOKEN, reason=unaccepted.reason)
        # Of a text that was given to nobody the key that has the socket hears: it sent it.
        self.public = unaccepted.public or (held.public if held else "")


async def authorize(register: Register, connection: Connection, asked: Asked) -> Credential:
    """The key behind a request.

    A socket belongs to the first key that shows a token on it: one of another key opens nothing there.

    Raises: ApiError.
    """
    token = asked.params.get("token")
    if not isinstance(token, str):
        raise ApiError(Error.INVALID_TOKEN, reason=Reason.TOKEN_UNKNOWN)
    held = connection.credential
    if held is not None and digest(token) in connection.tokens:
        return held
    credential = await run(tokens.look, token)
    if not isinstance(credential, Credential):
        raise TokenRefused(credential, held)
    if held is not None and held.id != credential.id:
        raise ApiError(Error.INVALID_TOKEN, credential, reason=Reason.TOKEN_OF_OTHER)
    if not authentication.is_allowed(credential, connection.source):
        raise ApiError(Error.INVALID_TOKEN, credential, reason=Reason.ADDRESS)
    if held is None:
        # Watched from here on: what changes about the key while its row is written closes the socket all the same.
        connection.credential = credential
        try:
            await register.open(connection, credential)
        except Exception:
            connection.credential = None
            raise
    connection.tokens.add(digest(token))
    return latest(connection, credential)


def latest(connection: Connection, credential: Credential) -> Credential:
    """The same key as it is by now: the watch may have found a change of it while something was waited for."""
    held = connection.credential
    return held if held is not None and held.version > credential.version else credential


def count_refused(connection: Connection) -> None:
    """One more token that opens nothing; in the end the socket is closed, for each costs a look into the database."""
    connection.refused_tokens += 1
    if connection.refused_tokens >= MOST_REFUSED:
        connection.close(LATER, "Too many tokens that open nothing.")


def note_refusal(error: ApiError, *, method: str, source: str) -> None:
    """Write down that a request of a socket was refused, for the people behind the bot. Waits for the database."""
    public = error.credential.public if error.credential else getattr(error, "public", "")
    known = method if method in use.METHODS else ""
    gateway.note_refusal(error, key=public, method=method, known=known, source=source)
