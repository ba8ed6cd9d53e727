"""`answer`: one bot call in, its answer out. No HTTP framework in sight."""

import logging
from dataclasses import dataclass
from typing import Final

from django.db import InterfaceError, OperationalError

from portal.api import bodies, methods, permissions, refusals
from portal.api.authentication import Signed, authenticate
from portal.api.caller import Caller
from portal.api.envelope import JSON, ApiError, Error, Reply, Result, error_for, failure, success
from portal.core import context
from portal.core.errors import DomainError

logger = logging.getLogger(__name__)

PREFIX: Final = "/0/"
PUBLIC: Final = "/0/public/"
PRIVATE: Final = "/0/private/"


@dataclass(frozen=True, slots=True)
class Call:
    """One request under `/0/`, as it came.

    `path` is what the client signed, `body` the exact bytes, None if there were more than are read; `media_type` is
    without parameters and in lower case; `source` is the trusted address (security WB-10). `has_other_nonce`: a header
    claims a nonce too.
    """

    verb: str
    path: str
    query: str
    body: bytes | None
    media_type: str
    key: str
    signature: str
    source: str
    is_secure: bool
    has_other_nonce: bool = False


def answer(call: Call) -> Reply:
    """The envelope for this call, whatever happens."""
    try:
        return success(_answer(call))
    except ApiError as error:
        if call.path.startswith(PRIVATE):
            method = call.path.removeprefix(PRIVATE)
            refusals.note(error.error, error.credential, method=method, source=call.source)
        return failure(error.error)
    except DomainError as error:
        return failure(error_for(error, funding=_is_funding(call.path)))
    except (OperationalError, InterfaceError):
        # The connection is replaced before the next call. This one is not tried again: it may have counted.
        logger.exception("The database failed during %s", _loggable(call.path))
        return failure(Error.UNAVAILABLE)
    except Exception:
        logger.exception("Unexpected error during %s", _loggable(call.path))
        return failure(Error.INTERNAL)


def _answer(call: Call) -> Result:
    if not call.is_secure:
        raise ApiError(Error.BAD_REQUEST)
    if call.path.startswith(PRIVATE) and call.verb == "POST":
        return _private(call)
    if call.path.startswith(PUBLIC) and call.verb == "GET":
        return _public(call)
    raise ApiError(Error.UNKNOWN_METHOD)


def _public(call: Call) -> JSON:
    method = call.path.removeprefix(PUBLIC)
    served = methods.PUBLIC.get(method)
    if served is None:
        raise ApiError(Error.UNAVAILABLE if method in methods.PUBLIC_LATER else Error.UNKNOWN_METHOD)
    return served.answer(bodies.parse(bodies.FORM, call.query.encode()))


def _private(call: Call) -> Result:
    # The query is not signed, so it may not say anything.
    if call.body is None or call.query or call.has_other_nonce:
        raise ApiError(Error.INVALID_ARGUMENTS)
    given = bodies.parse(call.media_type, call.body)
    method = call.path.removeprefix(PRIVATE)
    credential = authenticate(
        Signed(
            path=call.path,
            method=method,
            key=call.key,
            signature=call.signature,
            nonce=given.nonce,
            body=call.body,
            source=call.source,
        )
    )
    if method not in permissions.PERMISSIONS:
        raise ApiError(Error.UNKNOWN_METHOD)
    if not permissions.opens(permissions.held_by(credential), method):
        raise ApiError(Error.PERMISSION_DENIED, credential)
    served = methods.PRIVATE.get(method)
    if served is None:
        raise ApiError(Error.UNAVAILABLE)
    caller = Caller(credential)
    with context.origin(source=call.source, via=f"key {caller.short}"):
        return served.answer(caller, given)


def _is_funding(path: str) -> bool:
    return path.removeprefix(PRIVATE).startswith(("Deposit", "Withdraw"))


def _loggable(path: str) -> str:
    """The path without anything that could forge a line of the log."""
    return ascii(path[:100])
