"""Strangers who keep failing: counted by source, never by key, so that nobody can stop another's bot (AP-7, AP-12).

A key that was used from a source lately is known there: whoever fails beside it, from the same address, does not stop
it. All this is a brake, not a wall; the signature is the wall. Where it is counted: `failure_counters`, or for all
processes together `shared_counters`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Final

from django.conf import settings
from django.utils.module_loading import import_string

from portal.api.limits.failure_counters import Counters, InProcess
from portal.core.clocks import SKEW
from portal.core.kept_settings import kept
from portal.core.web.proxies import network

# How long a key stays known where it was used, and how often that is written down anew.
KNOWN_SECONDS: Final = 3600.0
WRITTEN_SECONDS: Final = 60.0
IN_REDIS: Final = "portal.api.limits.shared_counters.Shared"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a source stands when it calls."""

    is_flooding: bool = False
    is_locked_out: bool = False
    in_a_row: int = 0


GOOD: Final = Standing()


@dataclass(frozen=True, slots=True)
class Place:
    """Where failed calls are counted. `is_degraded`: they should be counted elsewhere, which does not answer."""

    name: str
    is_degraded: bool


def standing(source: str, now: datetime) -> Standing:
    """Whether so many calls of that source failed that the next is not even looked at, or in a row."""
    record = _counters().look(_failures(source))
    if record is None:
        return GOOD
    moment = now.timestamp()
    return Standing(
        is_flooding=record.level_now(moment) > settings.API_FLOOD_MAXIMUM,
        # An end further off than any lockout reaches was set by a clock that ran ahead: that source is forgiven.
        is_locked_out=moment < record.until <= moment + (settings.API_LOCKOUT + SKEW).total_seconds(),
        in_a_row=record.in_a_row,
    )


def asked_while_locked_out(source: str, now: datetime) -> None:
    """The time starts anew, as the protocol says."""
    _counters().set_until(_failures(source), now.timestamp() + settings.API_LOCKOUT.total_seconds())


def failed(source: str, now: datetime) -> None:
    """Count a call with a wrong key or signature."""
    record = _counters().count(_failures(source), now.timestamp())
    if record.in_a_row >= settings.API_LOCKOUT_FAILURES:
        asked_while_locked_out(source, now)


def passed(source: str, key: str, before: Standing, now: datetime) -> None:
    """A call with the right signature ends the row of failures, and makes its key known at its source."""
    if before.in_a_row:
        _counters().calm(_failures(source))
    name, moment = _known(source, key), now.timestamp()
    noted = _noted.look(name)
    if noted is None or noted.until < moment + KNOWN_SECONDS - WRITTEN_SECONDS:
        _noted.set_until(name, moment + KNOWN_SECONDS)
        _counters().set_until(name, moment + KNOWN_SECONDS)


def is_known(source: str, key: str, now: datetime) -> bool:
    """Whether the key was used from there lately. Asked only when the source stands badly."""
    name, moment = _known(source, key), now.timestamp()
    records = (_noted.look(name), _counters().look(name))
    return any(record is not None and record.until > moment for record in records)


def takes_public(source: str, now: datetime, cost: float = 1.0) -> bool:
    """Count a call of a public method, and say whether it is answered; what is not answered does not count."""
    if not settings.API_LIMITS:
        return True
    name, moment = f"public:{network(source)}", now.timestamp()
    record = _counters().look(name)
    if record is not None and record.level_now(moment) + cost > settings.API_PUBLIC_MAXIMUM:
        return False
    _counters().count(name, moment, cost)
    return True


def bar(source: str, now: datetime, span: timedelta) -> None:
    """Open no further sockets for that source for so long."""
    _counters().set_until(f"barred:{network(source)}", (now + span).timestamp())


def is_barred(source: str, now: datetime) -> bool:
    """Whether it has opened too many, so that no further one is opened now."""
    record = _counters().look(f"barred:{network(source)}")
    return record is not None and now.timestamp() < record.until <= (now + settings.STREAM_BAN + SKEW).timestamp()


def place() -> Place:
    """Where failed calls are counted now: asked of Redis, if there is one."""
    _counters().answers()
    return place_now()


def place_now() -> Place:
    """The same as this process last knew it, without asking."""
    counters = _counters()
    return Place("process", is_degraded=True) if counters.is_away() else Place(counters.kept_in, is_degraded=False)


def forget_all() -> None:
    """Start again from nothing."""
    _noted.clear()
    _counters().clear()


# Pairs of source and key that this process has seen pass.
_noted: Final = InProcess()


def _counters() -> Counters:
    return _made(kept.REDIS_URL)


@cache
def _made(url: str) -> Counters:
    if not url:
        return InProcess()
    made: Counters = import_string(IN_REDIS)(url)
    return made


@lru_cache(maxsize=4096)
def _failures(source: str) -> str:
    return f"failures:{network(source)}"


def _known(source: str, key: str) -> str:
    return f"known:{network(source)}:{key}"
