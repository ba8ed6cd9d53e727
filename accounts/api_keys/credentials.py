"""The credentials of live keys: found on every call, kept by each process, trusted only as far as the row says so."""

import re
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hmac import HMAC
from ipaddress import IPv4Network, IPv6Network, ip_network
from threading import Lock
from typing import Final, TypeAlias

from django.db import transaction

from accounts.api_keys import call_limits
from accounts.api_keys.nonces import Nonces, NonceUsed, accept
from accounts.api_keys.statements import COUNT, SPEND, VERSION, spending
from accounts.models import ApiKey
from accounts.models.api_key import place_of
from portal.core.database.at_hand import hand
from portal.core.database.prepared import fetch
from portal.core.database.reading import Reading
from portal.core.kept_settings import kept
from portal.core.secrets.request_signature import keyed_with
from portal.core.secrets.sealing import unseal

PUBLIC: Final = re.compile(r"[A-Za-z0-9]{56}", re.ASCII)
CACHED: Final = 10_000


class Refusal(StrEnum):
    """Why a call was not spent. After CHANGED, find the key again and judge the call anew, once."""

    KEY = "key"
    CHANGED = "changed"


@dataclass(slots=True)
class Spent:
    """The call counts. `level` is the key's call counter after it; `is_over`: too high, the call is to be refused.

    `told` is what was read along; None if nothing was, or if it is out of date. Not frozen: one is made for each call,
    and a frozen one takes twice as long.
    """

    level: float
    is_over: bool
    told: object = None


@dataclass(frozen=True, slots=True)
class Credential:
    """What a process remembers of a live key. `hmac` is keyed HMAC-SHA512, to be copied for each call.

    It may be out of date. Before refusing because of it, ask `is_current`; an acceptance is confirmed by `spend`.
    """

    id: int
    public: str
    version: int
    hmac: HMAC = field(repr=False)
    service_user_id: int
    organization_id: int
    account_id: int
    venue: str
    tier: str
    name: str
    permissions: frozenset[str]
    websocket: bool
    networks: tuple[IPv4Network | IPv6Network, ...]
    nonce_window: int
    expires_at: datetime | None
    query_start: datetime | None
    query_end: datetime | None
    # What it withdraws at most, in hundredths of its Organization's currency.
    currency: str
    withdrawal_cap_hundredths: int | None
    daily_cap_hundredths: int | None
    # Neither an expiry nor an allow-list nor a window: the row of the key alone says whether it works.
    is_plain: bool

    def has_expired(self, now: datetime) -> bool:
        """Whether the key is past its expiry at `now`; one without an expiry never is."""
        return self.expires_at is not None and self.expires_at <= now


_cache: OrderedDict[str, Credential] = OrderedDict()
_cache_lock = Lock()


def find(public: str) -> Credential | None:
    """The live key of that public half; None if it is unknown, unclaimed, paused, revoked, or its bot is not active.

    An expired key is found: `expires_at` tells.
    """
    known = remembered(public)
    if known is not None:
        return known
    if not PUBLIC.fullmatch(public):
        return None
    credential = _load(public)
    if credential is not None:
        with _cache_lock:
            _cache[public] = credential
            while len(_cache) > CACHED:
                _cache.popitem(last=False)
    return credential


def remembered(public: str) -> Credential | None:
    """The same, if this process knows it already."""
    with _cache_lock:
        known = _cache.get(public)
        if known is not None:
            _cache.move_to_end(public)
        return known


def forget(public: str) -> None:
    """Drop what this process remembers of a key."""
    with _cache_lock:
        _cache.pop(public, None)


def versions(ids: Collection[int]) -> dict[int, int]:
    """The version of each of those keys, in one statement; another than is remembered means that the key changed."""
    return dict(ApiKey.objects.filter(pk__in=ids).values_list("pk", "version"))


def is_current(credential: Credential) -> bool:
    """Whether the key is still as remembered; otherwise it is forgotten, to be found again."""
    return _high_if_current(credential) is not None


def _high_if_current(credential: Credential) -> int | None:
    """The highest nonce of the key, if it is still as remembered; otherwise it is forgotten."""
    for version, high in fetch(VERSION, {"id": credential.id}):
        if version == credential.version:
            return int(high)
    forget(credential.public)
    return None


Outcome: TypeAlias = Spent | NonceUsed | Refusal


def spend(
    credential: Credential,
    *,
    nonce: int,
    source: str,
    cost: float,
    now: datetime,
    method: str = "",
    is_reading: bool = False,
    reading: Reading[object] | None = None,
) -> Outcome:
    """Use up `nonce` and count the call, in one statement; it stays spent whatever happens to the call afterwards.

    `nonce` is at most 2^63-1 (the caller refuses what lies in the far future). Must not run inside another transaction.
    `reading` is asked along, in the same statement where the database can, and not at all for a key with a window.
    After a call that only reads the disk is not waited for, where the installation lets it be so.
    """
    calls = call_limits.calls(credential.tier)
    if credential.nonce_window > 0:
        return _spend_in_window(credential, nonce=nonce, source=source, cost=cost, now=now, method=method)
    said = _counted(credential, calls, source=source, cost=cost, now=now, method=method)
    said["nonce"] = nonce
    statement, along = SPEND, None
    if hand.is_postgresql:
        # Inside of a transaction it would hold for all that is done there.
        is_lazy = is_reading and kept.API_LAZY_READS and not hand.wrapper.in_atomic_block
        if reading is not None:
            along = reading
            said.update(reading.parameters)
            said["maximum"] = calls.maximum
        statement = spending(along.question if along else None, is_lazy)
    rows = fetch(statement, said)
    if not rows:
        return unspent(credential, now)
    level = rows[0][0]
    if level > calls.maximum:
        return Spent(level, is_over=True)
    told = None if reading is None else reading.answer(rows) if along else reading.asked_alone()
    return Spent(level, is_over=False, told=told)


def unspent(credential: Credential, now: datetime) -> NonceUsed | Refusal:
    """Why nothing was spent."""
    high = _high_if_current(credential)
    if high is None:
        return Refusal.CHANGED
    return Refusal.KEY if credential.has_expired(now) else NonceUsed(high)


def count(credential: Credential, *, cost: float, source: str, now: datetime, method: str) -> Spent | Refusal:
    """Count a message on a socket as `spend` counts a call, in one statement, and note it as the key's last use.

    What stands in for a nonce there is the socket itself. Must not run inside another transaction.
    """
    calls = call_limits.calls(credential.tier)
    rows = fetch(COUNT, _counted(credential, calls, source=source, cost=cost, now=now, method=method))
    if rows:
        return Spent(level=rows[0][0], is_over=rows[0][0] > calls.maximum)
    return Refusal.KEY if is_current(credential) else Refusal.CHANGED


def _counted(
    credential: Credential, calls: call_limits.Calls, *, source: str, cost: float, now: datetime, method: str
) -> dict[str, object]:
    """What the statements that count a use are told."""
    return {
        "id": credential.id,
        "version": credential.version,
        "now": now.timestamp(),
        "at": hand.wrapper.ops.adapt_datetimefield_value(now),
        "source": source,
        "method": method,
        "cost": float(cost),
        "decay": calls.decay,
        "cap": calls.cap,
    }


@transaction.atomic
def _spend_in_window(
    credential: Credential, *, nonce: int, source: str, cost: float, now: datetime, method: str
) -> Outcome:
    """The same with a nonce window: the pure rule decides while the row is locked."""
    key = ApiKey.objects.select_for_update(no_key=True).filter(pk=credential.id).first()
    if key is None or key.version != credential.version:
        forget(credential.public)
        return Refusal.CHANGED
    if not key.is_active or credential.has_expired(now):
        return Refusal.KEY
    seen = Nonces(
        high=key.last_nonce, window=credential.nonce_window, floor=key.floor_nonce, recent=tuple(key.recent_nonces)
    )
    after = accept(seen, nonce)
    if after is None:
        return NonceUsed(key.last_nonce)
    calls = call_limits.calls(credential.tier)
    leaked = max(key.calls - (now.timestamp() - key.calls_at) * calls.decay, 0.0)
    level = min(leaked + cost, calls.cap)
    ApiKey.objects.filter(pk=key.pk).update(
        last_nonce=after.high,
        floor_nonce=after.floor,
        recent_nonces=list(after.recent),
        calls=level,
        calls_at=now.timestamp(),
        last_used_at=now,
        last_used_ip=source,
        last_used_method=method,
    )
    return Spent(level=level, is_over=level > calls.maximum)


def secret_of(sealed: str, *, public: str) -> str:
    """The secret half as it was revealed: base64 of 64 bytes."""
    return unseal(sealed, place=place_of(public)).decode()


def _load(public: str) -> Credential | None:
    key = (
        ApiKey.objects.select_related("service_user__account", "service_user__organization")
        .filter(public=public, is_active=True, service_user__suspended_at=None, service_user__removed_at=None)
        .first()
    )
    if key is None:
        return None
    bot = key.service_user
    return Credential(
        id=key.pk,
        public=public,
        version=key.version,
        hmac=keyed_with(b64decode(secret_of(key.sealed_secret, public=public))),
        service_user_id=bot.pk,
        organization_id=bot.organization_id,
        account_id=bot.account_id,
        venue=bot.account.venue,
        tier=bot.organization.api_tier,
        name=bot.name,
        permissions=frozenset(bot.permissions),
        websocket=bot.websocket,
        networks=tuple(ip_network(text) for text in bot.ip_allow_list),
        nonce_window=bot.nonce_window,
        expires_at=key.expires_at,
        query_start=bot.query_start,
        query_end=bot.query_end,
        currency=bot.organization.currency,
        withdrawal_cap_hundredths=bot.withdrawal_cap_hundredths,
        daily_cap_hundredths=bot.daily_cap_hundredths,
        is_plain=key.expires_at is None and not bot.ip_allow_list and not bot.nonce_window,
    )
