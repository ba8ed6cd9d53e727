"""`answer`: one bot call in, its answer out; what a socket shares with it. No HTTP framework in sight."""

import logging
from typing import Final

from django.utils import timezone

from accounts.api_keys import usage
from accounts.api_keys.lifecycle import Credential
from accounts.api_keys.refused_calls import Reason
from portal.api import methods, permissions
from portal.api.authentication import authenticate, known_method
from portal.api.call import Call, Caller, Reply
from portal.api.limits import lockout, refusal_events
from portal.api.protocol import request_body
from portal.api.protocol.envelope import ApiError, Error, File, Result, error_for, failure, reason_for, success
from portal.core import call_origin
from portal.core.database import outage
from portal.core.database.reading import Reading
from portal.core.errors import DomainError
from portal.core.secrets import unopened
from portal.core.secrets.sealing import SealBroken
from portal.venues.registry import relayed_publicly

logger = logging.getLogger(__name__)

PREFIX: Final = "/0/"
PUBLIC: Final = "/0/public/"
PRIVATE: Final = "/0/private/"


def answer(call: Call) -> Reply:
    """The envelope for this call, whatever happens."""
    try:
        return success(_answer(call))
    except ApiError as error:
        if call.path.startswith(PRIVATE):
            method = call.path.removeprefix(PRIVATE)
            note_refusal(error, key=call.key, method=method, known=known_method(method), source=call.source)
        return error.reply
    except DomainError as error:
        return failure(error_for(error, funding=_is_funding(call.path)))
    except Exception as error:  # noqa: BLE001 - told apart and written down there
        return failure(note_failure(error, call.path))


def carry_out(
    credential: Credential, method: str, given: request_body.Fields, source: str, told: object = None
) -> Result:
    """What a call of an authenticated key brings, whichever door it came through: checks 8 to 11 of `authentication`.

    `told` is what was read along with its nonce.

    Raises: ApiError, with the credential and the reason in it.
    """
    served = served_to(credential, method)
    caller = Caller(credential)
    with call_origin.origin(source=source, via=f"key {caller.short}", actor=call_origin.BOT, doing=method):
        try:
            result = served.answer(caller, given, told)
        except ApiError as error:
            error.credential = credential
            raise
        except DomainError as error:
            string = error_for(error, funding=_is_funding(method))
            raise ApiError(string, credential, reason=reason_for(error), said=error.message) from error
    usage.count(credential.public, permissions.kind_of(method), timezone.now())
    return result


def served_to(credential: Credential, method: str) -> methods.Served:
    """The method that the key asks for. Raises: ApiError if there is none, none for this key, or it is not served."""
    if method not in permissions.PERMISSIONS:
        raise ApiError(Error.UNKNOWN_METHOD, credential, reason=Reason.METHOD)
    if not permissions.opens(permissions.held_by(credential), method):
        needs = permissions.in_words(method)
        raise ApiError(Error.PERMISSION_DENIED, credential, reason=Reason.PERMISSION, method=method, needs=needs)
    served = methods.RELAYED.get((credential.venue, method)) or methods.PRIVATE.get(method)
    if served is None:
        # For good: a string that says *later* makes bots ask again for ever.
        raise ApiError(Error.UNKNOWN_METHOD, credential, reason=Reason.NOT_SERVED)
    return served


def note_refusal(error: ApiError, *, key: str, method: str, known: str, source: str) -> None:
    """Write down that a call was refused, for the people behind the bot. Never fails the answer.

    `key` is the public half as the call named it, `method` the name as it came, and `known` the same if there is such
    a method, otherwise empty.
    """
    logger.info("Refused %s: %s (%s)", _loggable(method), error.answer, error.reason.value)
    if error.reason is not Reason.EXCHANGE:
        refusal_events.note(error.error, error.credential, method=method, source=source)
    usage.refused(
        key,
        method=known or "unknown",
        answer=error.answer,
        reason=error.reason,
        facts=error.facts,
        source=source,
        at=timezone.now(),
    )


def note_failure(error: Exception, what: str) -> Error:
    """What a bot is told of an error that no rule made; `what` it had asked for goes into the log."""
    if outage.is_away(error):
        outage.note(error)
        # The connection is replaced before the next call. This one is not tried again: it may have counted.
        logger.warning("The database failed during %s: %s", _loggable(what), outage.in_words(error))
        return Error.UNAVAILABLE
    if isinstance(error, SealBroken):
        unopened.note(error, "call", _loggable(what))
        return Error.INTERNAL
    logger.error("Unexpected error during %s", _loggable(what), exc_info=error)
    return Error.INTERNAL


def _answer(call: Call) -> Result:
    if not call.is_secure:
        raise ApiError(Error.BAD_REQUEST, reason=Reason.PLAIN_HTTP)
    if call.path.startswith(PRIVATE) and call.verb == "POST":
        return _private(call)
    if call.path.startswith(PUBLIC) and call.verb == "GET":
        return _public(call)
    raise ApiError(Error.UNKNOWN_METHOD, reason=Reason.METHOD)


def _public(call: Call) -> Result:
    method = call.path.removeprefix(PUBLIC)
    if not lockout.takes_public(call.source, timezone.now(), permissions.PUBLIC_COSTS.get(method, 1.0)):
        raise ApiError(Error.TOO_MANY_REQUESTS)
    relayed = relayed_publicly(method, call.query)
    if relayed is not None:
        return File("", relayed.media_type, relayed.body)
    served = methods.PUBLIC.get(method)
    if served is None:
        raise ApiError(Error.UNKNOWN_METHOD)
    return served.answer(request_body.parse(request_body.FORM, call.query.encode()))


def _private(call: Call) -> Result:
    # The query is not signed, so it may not say anything.
    if call.body is None or call.query or call.has_other_nonce:
        raise ApiError(Error.INVALID_ARGUMENTS, reason=Reason.BODY)
    given = _parse(call.media_type, call.body)
    method = call.path.removeprefix(PRIVATE)
    served = methods.PRIVATE.get(method)

    def along(credential: Credential) -> Reading[object] | None:
        if served is None or not permissions.opens(permissions.held_by(credential), method):
            return None
        if (credential.venue, method) in methods.RELAYED:
            return None
        return served.reading(Caller(credential), given)

    credential, told = authenticate(call, call.body, method=method, nonce=given.nonce, along=along)
    return carry_out(credential, method, given, call.source, told)


def _parse(media_type: str, body: bytes) -> request_body.Fields:
    try:
        return request_body.parse(media_type, body)
    except ApiError as error:
        error.reason = Reason.BODY
        raise


def _is_funding(path: str) -> bool:
    return path.removeprefix(PRIVATE).startswith(("Deposit", "Withdraw"))


def _loggable(path: str) -> str:
    """The path without anything that could forge a line of the log."""
    return ascii(path[:100])
