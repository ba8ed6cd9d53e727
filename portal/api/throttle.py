"""Strangers who keep failing: counted by source, never by key, so that nobody can stop another's bot (AP-7, AP-12).

The counters live in the process: a lockout is a brake, not a wall; the signature is the wall.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv6Address, ip_address
from threading import Lock
from typing import Final

from django.conf import settings

SOURCES: Final = 10_000


@dataclass(slots=True)
class _Record:
    """`in_a_row` failures since the last call that passed; `level` leaks and tells a flood from a mistake."""

    in_a_row: int = 0
    locked_until: float = 0.0
    level: float = 0.0
    level_at: float = 0.0


_records: OrderedDict[str, _Record] = OrderedDict()
_lock = Lock()


def is_flooding(source: str, now: datetime) -> bool:
    """Whether so many calls of that source just failed that the next one is not even looked at."""
    record = _records.get(_network(source))
    return record is not None and _level(record, now.timestamp()) > settings.API_FLOOD_MAXIMUM


def is_locked_out(source: str, now: datetime) -> bool:
    """Whether too many calls in a row failed; asking while locked out starts the time anew, as the protocol says."""
    record = _records.get(_network(source))
    if record is None or record.locked_until <= now.timestamp():
        return False
    record.locked_until = now.timestamp() + settings.API_LOCKOUT.total_seconds()
    return True


def failed(source: str, now: datetime) -> None:
    """Count a call with a wrong key or signature."""
    moment = now.timestamp()
    with _lock:
        record = _records.setdefault(_network(source), _Record())
        _records.move_to_end(_network(source))
        while len(_records) > SOURCES:
            _records.popitem(last=False)
        record.level, record.level_at = _level(record, moment) + 1, moment
        record.in_a_row += 1
        if record.in_a_row >= settings.API_LOCKOUT_FAILURES:
            record.locked_until = moment + settings.API_LOCKOUT.total_seconds()


def passed(source: str) -> None:
    """A call with the right signature ends the row of failures."""
    if _records:
        record = _records.get(_network(source))
        if record is not None:
            record.in_a_row = 0


def forget_all() -> None:
    """Start again from nothing."""
    with _lock:
        _records.clear()


def _level(record: _Record, moment: float) -> float:
    return max(record.level - (moment - record.level_at) * settings.API_FLOOD_DECAY, 0.0)


def _network(source: str) -> str:
    """An IPv6 caller owns a whole /64, so it is counted as one."""
    if ":" not in source:
        return source
    try:
        address = ip_address(source)
    except ValueError:
        return source
    return str(IPv6Address(int(address) >> 64 << 64))
