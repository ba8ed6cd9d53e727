"""One call to the exchange with a credential: signed, in its lane, and what became of it told apart."""

import re
from base64 import b64encode
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from django.db import connection, transaction

from portal.core.errors import Busy
from portal.core.lanes import lane
from portal.core.secrets.request_signature import compute
from portal.venues.kraken import shares
from portal.venues.kraken.credentials import stops
from portal.venues.kraken.credentials.finding import STOPPED, Usable
from portal.venues.kraken.models import Purpose
from portal.venues.kraken.upstream import envelope, transport
from portal.venues.kraken.upstream.envelope import Answer
from portal.venues.kraken.upstream.outcomes import AnswerLost, NotSent, Stopped
from portal.venues.relaying import Number

PRIVATE: Final = "/0/private/"
PUBLIC: Final = "/0/public/"
FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"
# How a file of an export begins: what a network in between says is none.
ZIP: Final = b"PK"
PART: Final = re.compile(r"(close)\[([a-z0-9]+)\]", re.ASCII)
# How long a call waits for those before it in its lane.
LANE_SECONDS: Final = 30.0
GOOD: Final = "good"
BUSY: Final = "Too many calls wait for this credential of the exchange."


def ask(
    credential: Usable,
    method: str,
    fields: Mapping[str, Any] | None = None,
    *,
    seconds: float = transport.SECONDS,
    limit: int = transport.JSON_LIMIT,
    patience: float = LANE_SECONDS,
    is_counted: bool = False,
) -> Answer:
    """Call a private method and read its answer, errors of the exchange included; what they mean is `answer.meaning`.

    `fields` go out as a form, or as JSON where one of them is a list or an object. A credential without a nonce window,
    and the one for withdrawals in any case, makes one call at a time among all processes. One that the exchange
    refuses is stopped before this returns. `seconds` bound the call itself, `patience` the wait for its lane.
    Unless it `is_counted` already, it counts to the portal's own share of the exchange's limits.

    Raises: NotSent, Stopped among them, if nothing has left; AnswerLost if nobody knows. TransactionManagementError
    inside of a transaction: nothing waits for others while it holds locks.
    """
    refuse_in_transaction()
    if not is_counted and credential.account_id is not None and credential.purpose == Purpose.REST:
        shares.take(credential.account_id, shares.PORTAL, method, may_refuse=False)
    with in_its_lane(credential, patience):
        return ask_in_lane(credential, method, fields, seconds=seconds, limit=limit)


def in_its_lane(credential: Usable, patience: float = LANE_SECONDS) -> AbstractContextManager[None]:
    """The lane of a credential that makes one call at a time. Raises: NotSent if others take too long."""
    if credential.id is None or (credential.has_window and credential.purpose != Purpose.WITHDRAW):
        return nullcontext()
    return _Lane(credential.id, patience)


def lane_of(credential_id: int, seconds: float) -> AbstractContextManager[None]:
    """The lane of a credential by its row, also of one that signs nothing any more. Raises: Busy."""
    return lane(f"kraken credential {credential_id}", seconds=seconds)


def ask_in_lane(
    credential: Usable,
    method: str,
    fields: Mapping[str, Any] | None = None,
    *,
    nonce: int | None = None,
    seconds: float = transport.SECONDS,
    limit: int = transport.JSON_LIMIT,
) -> Answer:
    """`ask` for who holds the lane already, with a `nonce` that was taken and stored before, if there is one."""
    refuse_in_transaction()
    number = nonce if nonce is not None else credential.next_nonce()
    if number is None:
        raise Stopped(STOPPED)
    body, media_type = encoded({"nonce": str(number), **(fields or {})})
    path = PRIVATE + method
    signature = compute(credential.keyed, path=path, nonce=str(number), body=body)
    headers = {"API-Key": credential.public, "API-Sign": b64encode(signature).decode(), "Content-Type": media_type}
    content, answered_as, _ = transport.send(
        credential.url, path, body=body, headers=headers, seconds=seconds, limit=limit
    )
    if method == "RetrieveExport" and answered_as not in envelope.JSON_TYPES and content.startswith(ZIP):
        transport.CALLS.add(GOOD)
        return Answer(content, answered_as, (), (), None)
    answer = _read(content, answered_as)
    if credential.id is not None and answer.errors:
        stops.note(credential.id, answer)
    return answer


def ask_public(url: str, method: str, query: str = "", *, seconds: float = transport.SECONDS) -> Answer:
    """Call a public method. Raises: NotSent, AnswerLost."""
    refuse_in_transaction()
    content, media_type, _ = transport.send(url, PUBLIC + method, verb="GET", query=query, seconds=seconds)
    return _read(content, media_type)


def _read(content: bytes, media_type: str) -> Answer:
    try:
        answer = envelope.read(content, media_type)
    except AnswerLost:
        transport.CALLS.add("lost")
        raise
    transport.CALLS.add(answer.meaning.name.lower() if answer.meaning else GOOD)
    return answer


def encoded(fields: Mapping[str, Any]) -> tuple[bytes, str]:
    """The body that says these fields, the nonce first, and its media type."""
    if any(isinstance(value, list | dict) for value in fields.values()):
        return msgspec.json.encode(_nested(_spelled(fields))), JSON
    words = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in fields.items()}
    return urlencode(words).encode(), FORM


def _nested(fields: dict[str, Any]) -> dict[str, Any]:
    """`close[price]` of a form is an object in JSON."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        part = PART.fullmatch(name)
        if part is None:
            found[name] = value
        else:
            found.setdefault(part[1], {})[part[2]] = value
    return found


def _spelled(value: Any) -> Any:  # noqa: ANN401  (whatever JSON can be)
    """Numbers as they were spelled."""
    if isinstance(value, Number):
        return msgspec.Raw(value.encode())
    if isinstance(value, Mapping):
        return {name: _spelled(each) for name, each in value.items()}
    return [_spelled(each) for each in value] if isinstance(value, list) else value


def may_ask() -> bool:
    """Whether no transaction is open, but for one that a test wraps around everything."""
    return all(getattr(block, "_from_testcase", False) for block in connection.atomic_blocks)


def refuse_in_transaction() -> None:
    """Raises: TransactionManagementError inside of a transaction."""
    if not may_ask():
        raise transaction.TransactionManagementError("Nobody waits for an exchange inside of a transaction.")


class _Lane:
    """A lane whose waiting in vain is said as what it means here: nothing has left."""

    def __init__(self, credential_id: int, seconds: float) -> None:
        self._lane = lane_of(credential_id, seconds)

    def __enter__(self) -> None:
        try:
            self._lane.__enter__()
        except Busy as error:
            raise NotSent(BUSY) from error

    def __exit__(self, *raised: Any) -> None:
        self._lane.__exit__(*raised)
