"""How keys are used: counted in the process and written by a thread each second, never by the call itself.

What pages show may lose a second when a process is killed; what limits rest on, and the last use, is in the key's row.
"""

import logging
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from multiprocessing.util import Finalize
from threading import Event, Lock, Thread
from time import sleep
from typing import Final

from django.conf import settings
from django.db import close_old_connections, connection, transaction
from django.utils import timezone

from accounts.api_keys.credentials import PUBLIC
from accounts.api_keys.refused_calls import Reason, why_dead
from accounts.models import ApiKey, KeyUse, RefusedCall
from portal.core.database.outage import in_words, is_away

logger = logging.getLogger(__name__)

KEPT_DAYS: Final = 90
KEPT_REFUSALS: Final = 100
# Strangers can name any key: no more of them are held than this between two writes.
MOST_KEYS: Final = 5_000
# Calls that differ in one of these facts have different things wrong, and stay rows of their own. Facts that count up,
# as nonces do, are not among them: the last one speaks for all.
APART: Final = ("field", "said")

UPSERT: Final = """
INSERT INTO accounts_keyuse (api_key_id, day, kind, refused, calls) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (api_key_id, day, kind) DO UPDATE SET calls = accounts_keyuse.calls + excluded.calls
"""


# Method, answer, reason and source of a refused call, and the facts that keep it apart.
Call = tuple[str, ...]


@dataclass(slots=True)
class _Refused:
    """The same call, refused for the same reason by the same source, since the last write."""

    at: datetime
    facts: Mapping[str, str]
    times: int = 0


@dataclass(slots=True)
class _Use:
    counts: "Counter[tuple[date, str, bool]]" = field(default_factory=Counter)
    refused: "OrderedDict[Call, _Refused]" = field(default_factory=OrderedDict)


_pending: dict[str, _Use] = {}
# Keys of which it was said that something was dropped.
_dropped: set[str] = set()
_lock = Lock()
_writing = Lock()
_something = Event()
_writer: Thread | None = None
_pruned_on: date | None = None


def count(public: str, kind: str, at: datetime) -> None:
    """One answered call of the key."""
    with _lock:
        use = _pending.get(public) or _pending.setdefault(public, _Use())
        use.counts[at.date(), kind, False] += 1
    _wake()


def refused(
    public: str,
    *,
    method: str,
    answer: str,
    reason: Reason,
    facts: Mapping[str, str],
    source: str,
    at: datetime,
) -> None:
    """One call that named the key and was refused. What cannot be a key, or too many of them, is nobody's concern."""
    if not PUBLIC.fullmatch(public):
        return
    with _lock:
        use = _pending.get(public)
        if use is None:
            if len(_pending) >= MOST_KEYS:
                return
            use = _pending.setdefault(public, _Use())
        use.counts[at.date(), answer, True] += 1
        what = (method, answer, reason.value, source, *(facts.get(name, "") for name in APART))
        call = use.refused.setdefault(what, _Refused(at, facts))
        call.at, call.facts, call.times = at, facts, call.times + 1
        use.refused.move_to_end(what)
        while len(use.refused) > KEPT_REFUSALS:
            use.refused.popitem(last=False)
    _wake()


def flush() -> None:
    """Write what was counted. While the database is away it is kept for the next time.

    What the database answers and refuses would be refused for ever: it is dropped, and nothing of other keys with it.
    """
    global _pending
    # Whoever flushes last, because the process ends, waits for what is being written.
    with _writing:
        with _lock:
            taken, _pending = _pending, {}
        if not taken:
            return
        try:
            _write(taken)
        except Exception as error:  # noqa: BLE001 - whichever of them it is, the others must not pay for it
            if is_away(error):
                _keep(taken, error)
            else:
                _write_each(taken)


def forget_all() -> None:
    """Begin anew; for tests, which share a process."""
    with _lock:
        _pending.clear()
        _dropped.clear()
    _something.clear()


def _write_each(taken: dict[str, _Use]) -> None:
    """Key by key, in the order of all writers; what cannot be written is dropped and said once."""
    for public in sorted(taken):
        try:
            _write({public: taken[public]})
        except Exception as error:  # noqa: BLE001 - a value that no column takes must not end the thread
            if is_away(error):
                _keep({public: taken[public]}, error)
            else:
                _drop(public, error)


def _keep(taken: dict[str, _Use], error: Exception) -> None:
    logger.warning("The use of %s keys could not be written yet: %s", len(taken), in_words(error))
    _put_back(taken)


def _drop(public: str, error: Exception) -> None:
    with _lock:
        is_new = public not in _dropped and len(_dropped) < MOST_KEYS
        if is_new:
            _dropped.add(public)
    if is_new:
        # Neither a traceback nor the words of the database: both could quote what was sent.
        logger.error("The use of key %s… cannot be written and is dropped: %s", public[:4], type(error).__name__)


@transaction.atomic
def _write(taken: dict[str, _Use]) -> None:
    known = ApiKey.objects.select_related("service_user").filter(public__in=taken)
    keys = {key.public: key for key in known.order_by("pk")}
    counted = [
        (key.pk, day, kind, is_refused, calls)
        for public, key in keys.items()
        for (day, kind, is_refused), calls in sorted(taken[public].counts.items())
    ]
    # In one order everywhere, so that two processes never wait for each other.
    with connection.cursor() as cursor:
        cursor.executemany(UPSERT, counted)
    for public, key in keys.items():
        _keep_newest(key, taken[public])
    _prune()


def _keep_newest(key: ApiKey, use: _Use) -> None:
    if not use.refused:
        return
    RefusedCall.objects.bulk_create(
        RefusedCall(
            api_key=key,
            at=call.at,
            method=method,
            answer=answer,
            reason=why_dead(key, call.at) if reason == Reason.NO_KEY else reason,
            facts=dict(call.facts),
            source=source,
            times=call.times,
        )
        for (method, answer, reason, source, *_), call in use.refused.items()
    )
    mine = RefusedCall.objects.filter(api_key=key)
    oldest = mine.order_by("-pk").values_list("pk", flat=True)[KEPT_REFUSALS : KEPT_REFUSALS + 1].first()
    if oldest is not None:
        mine.filter(pk__lte=oldest).delete()


def _prune() -> None:
    global _pruned_on  # noqa: PLW0603 - once a day is enough
    today = timezone.now().date()
    if _pruned_on != today:
        KeyUse.objects.filter(day__lte=today - timedelta(days=KEPT_DAYS)).delete()
        _pruned_on = today


def _put_back(taken: dict[str, _Use]) -> None:
    with _lock:
        for public, use in taken.items():
            if public in _pending:
                _pending[public].counts.update(use.counts)
                _pending[public].refused = _joined(use.refused, _pending[public].refused)
            elif len(_pending) < MOST_KEYS:
                _pending[public] = use


def _joined(
    older: "OrderedDict[Call, _Refused]", newer: "OrderedDict[Call, _Refused]"
) -> "OrderedDict[Call, _Refused]":
    """The newest of both, in their order."""
    joined = OrderedDict(older)
    for what, call in newer.items():
        before = joined.pop(what, None)
        joined[what] = _Refused(call.at, call.facts, call.times + (before.times if before else 0))
    while len(joined) > KEPT_REFUSALS:
        joined.popitem(last=False)
    return joined


def _wake() -> None:
    if _something.is_set():
        return
    _something.set()
    _start()


def _start() -> None:
    """Let a thread of this process write; one that a fork left behind does not count."""
    global _writer  # noqa: PLW0603 - one for each process
    if settings.KEY_USE_WRITTEN_EVERY <= 0:
        return
    with _lock:
        if _writer is None or not _writer.is_alive():
            if _writer is None:
                # Servers fork their workers through multiprocessing, which ends them without `atexit`; this runs in
                # both, and takes along what the thread has not written yet.
                Finalize(None, flush, exitpriority=0)
            _writer = Thread(target=_write_on, name="key-use", daemon=True)
            _writer.start()


def _write_on() -> None:
    while True:
        _write_once()


def _write_once() -> None:
    """Wait until there is something, a little longer for more of it, and write it."""
    _something.wait()
    sleep(settings.KEY_USE_WRITTEN_EVERY)
    _something.clear()
    close_old_connections()
    flush()
