"""Refused calls in the history: one event a minute for each key, source and answer (security AU-2).

Whoever floods the portal with bad calls must not fill the history with them, nor wait for it: what was noted in the
running minute is remembered by the process, and all others pass by.
"""

import logging
from collections import OrderedDict
from threading import Lock
from typing import Final

from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts.api_keys.lifecycle import Credential
from accounts.known_networks import network_of
from portal.api.protocol.envelope import Error
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core import call_origin
from portal.core.actors import stranger

logger = logging.getLogger(__name__)

# What says something about who calls. A spent counter or a misspelt parameter does not.
NOTED: Final = frozenset(
    {
        Error.INVALID_KEY,
        Error.INVALID_SIGNATURE,
        Error.INVALID_NONCE,
        Error.INVALID_TOKEN,
        Error.PERMISSION_DENIED,
        Error.LOCKED_OUT,
    }
)
REMEMBERED: Final = 10_000

_minutes: OrderedDict[tuple[str, str, Error], int] = OrderedDict()
_lock = Lock()


def note(error: Error, credential: Credential | None, *, method: str, source: str) -> None:
    """Record that a call was refused, if this is the first of its kind in this minute. Never fails the answer.

    Keys that do not exist count as one, so that inventing them writes no more events; so do the addresses of one
    IPv6 network, all of which one machine may use.
    """
    if error not in NOTED:
        return
    if not _is_first((credential.public if credential else "", network_of(source), error)):
        return
    known = f"key {credential.public[:4]}…" if credential else "an unknown key"
    logger.warning("Refused %s with %s: %s", ascii(method[:40]), known, error.value)
    try:
        with call_origin.origin(source=source), transaction.atomic():
            record(
                EventKind.CALL_REFUSED,
                actor=stranger(f"a holder of {credential.name}'s key" if credential else "unknown key"),
                organization_id=credential.organization_id if credential else None,
                outcome="refused",
                bot=credential.name if credential else "",
                key=f"{credential.public[:4]}…{credential.public[-4:]}" if credential else "",
                method=method[:40],
                answer=error.value,
            )
    except DatabaseError:
        logger.exception("A refused call could not be recorded")


def forget_all() -> None:
    """Begin anew; for tests, which share a process."""
    with _lock:
        _minutes.clear()


def _is_first(what: tuple[str, str, Error]) -> bool:
    minute = int(timezone.now().timestamp()) // 60
    with _lock:
        if _minutes.get(what) == minute:
            return False
        _minutes[what] = minute
        _minutes.move_to_end(what)
        while len(_minutes) > REMEMBERED:
            _minutes.popitem(last=False)
        return True
