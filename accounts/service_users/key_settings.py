"""What a Service User may do and within which limits (DESIGN K3, K4): the values, their rules, their widening."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Address, IPv6Network, collapse_addresses, ip_address, ip_network
from typing import Final

from django.utils import timezone

from accounts.api_keys.nonces import MAX_WINDOW
from accounts.models import ApiKey, ServiceUser
from accounts.models.service_user import NAME_PATTERN, PURPOSE_LENGTH, Permission
from policies import notes
from policies.payload import added
from portal.core.errors import Invalid

NAME: Final = re.compile(NAME_PATTERN, re.ASCII)
MOST_NETWORKS: Final = 50
MOST_COMPLAINTS: Final = 10
# What rules take too.
MOST_CAP: Final = Decimal(10**15)
BETWEEN: Final = re.compile(r"[\s,;]+")
# Its page would be hidden by the form for a new one.
RESERVED: Final = frozenset({"new"})


@dataclass(frozen=True, slots=True)
class Limits:
    """Permissions and settings that all keys of a bot share. Instants are aware; an empty allow-list is anywhere.

    `purpose` limits nothing: it says to people what the bot is for. The caps bound what it withdraws, once and within
    24 hours, in the Organization's currency; None is no bound.
    """

    permissions: tuple[str, ...]
    expires_at: datetime | None
    query_start: datetime | None
    query_end: datetime | None
    websocket: bool
    nonce_window: int
    ip_allow_list: tuple[str, ...]
    purpose: str = ""
    withdrawal_cap: Decimal | None = added(None)  # noqa: RUF009  (says itself what it is)
    daily_cap: Decimal | None = added(None)  # noqa: RUF009  (says itself what it is)

    @property
    def may_withdraw(self) -> bool:
        """Whether such a key moves money out."""
        return Permission.WITHDRAW in self.permissions

    @property
    def withdraws_now(self) -> bool:
        """Whether a key with these limits could withdraw at this moment: an expired one has lost that power."""
        return self.may_withdraw and (self.expires_at is None or self.expires_at > timezone.now())

    @property
    def is_loose(self) -> bool:
        """Whether it takes an acknowledgement: money, and no end in time or from anywhere (security AP-8)."""
        return self.may_withdraw and (self.expires_at is None or not self.ip_allow_list)


def limits_of(service_user: ServiceUser) -> Limits:
    """The limits of a bot as they are; the expiry is that of its current key."""
    key = current_key(service_user)
    return Limits(
        permissions=tuple(service_user.permissions),
        expires_at=key.expires_at if key else None,
        query_start=service_user.query_start,
        query_end=service_user.query_end,
        websocket=service_user.websocket,
        nonce_window=service_user.nonce_window,
        ip_allow_list=tuple(service_user.ip_allow_list),
        purpose=service_user.purpose,
        withdrawal_cap=service_user.withdrawal_cap,
        daily_cap=service_user.daily_cap,
    )


def current_key(service_user: ServiceUser) -> ApiKey | None:
    """The newest key of a bot that is not revoked, lapsed or rotating out: the one whose expiry a change sets."""
    held = ApiKey.objects.filter(service_user=service_user, slot__isnull=False, retires_at=None).order_by("-pk")
    return next((key for key in held if not key.has_lapsed), None)


def check_name(name: str) -> None:
    """Raises: Invalid if no bot can be called so."""
    if not NAME.fullmatch(name) or name.lower() in RESERVED:
        raise Invalid(
            "Letters, digits and hyphens, beginning with a letter or digit, at most 32; and not “new”.", field="name"
        )


def ordered(permissions: Iterable[str]) -> tuple[str, ...]:
    """Permissions in the order of the protocol, each once.

    Raises: Invalid for one that does not exist, or none at all.
    """
    asked = set(permissions)
    if not asked:
        raise Invalid("Choose at least one permission.", field="permissions")
    if not asked <= set(Permission.values):
        raise Invalid("There is no such permission.", field="permissions")
    return tuple(permission.value for permission in Permission if permission in asked)


def check(limits: Limits, *, acknowledged: bool) -> None:
    """Look at every rule that is about the values alone.

    Raises: Invalid, naming the field.
    """
    if limits.permissions != ordered(limits.permissions):
        raise Invalid("Name each permission once, in their order.", field="permissions")
    if limits.expires_at is not None and limits.expires_at <= timezone.now():
        raise Invalid("The expiry has passed already. Choose a later one.", field="expires_at")
    if limits.query_start and limits.query_end and limits.query_start >= limits.query_end:
        raise Invalid("The end must come after the start.", field="query_end")
    if not 0 <= limits.nonce_window <= MAX_WINDOW:
        raise Invalid("The nonce window is a whole number from 0 up.", field="nonce_window")
    if limits.ip_allow_list != parse_allow_list("\n".join(limits.ip_allow_list)):
        raise Invalid("Write each address or range once, in its shortest form.", field="ip_allow_list")
    if limits.purpose != notes.clean(limits.purpose, field="purpose", max_length=PURPOSE_LENGTH):
        raise Invalid("Write the purpose on one line, without space around it.", field="purpose")
    for field, cap in (("withdrawal_cap", limits.withdrawal_cap), ("daily_cap", limits.daily_cap)):
        check_cap(cap, field=field)
    if limits.is_loose and not acknowledged:
        raise Invalid(f"Tick this, or {_tighten(limits)}.", field="acknowledged")


def check_cap(cap: Decimal | None, *, field: str) -> None:
    """Raises: Invalid if no amount of a currency can be that; None is no bound."""
    if cap is None:
        return
    if not cap.is_finite() or not 0 < cap <= MOST_CAP:
        raise Invalid("An amount is above zero, and below a thousand million millions.", field=field)
    if cap != round(cap, 2):
        raise Invalid("An amount has two decimals at most.", field=field)


def in_hundredths(cap: Decimal | None) -> int | None:
    """As a Service User's row has it."""
    return None if cap is None else int(cap.scaleb(2))


def parse_allow_list(text: str) -> tuple[str, ...]:
    """Addresses and ranges, v4 and v6, in their canonical form and each once, however they are set apart.

    Raises: Invalid naming each line that is neither.
    """
    found: dict[str, None] = {}
    wrong: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        for entry in filter(None, BETWEEN.split(line)):
            try:
                found[_network(entry)] = None
            except ValueError as error:
                wrong.append(f"Line {number}: {error}")
    if wrong:
        raise Invalid("\n".join(wrong[:MOST_COMPLAINTS]), field="ip_allow_list")
    if len(found) > MOST_NETWORKS:
        raise Invalid(f"At most {MOST_NETWORKS} addresses and ranges; these are {len(found)}.", field="ip_allow_list")
    if _is_everything(found):
        raise Invalid(
            "Together these are every address there is. Leave the list empty if you mean that.", field="ip_allow_list"
        )
    return tuple(found)


def grown(before: Limits, after: Limits) -> frozenset[str]:
    """The fields in which `after` gives more power than `before`."""
    wider = {
        "permissions": not set(after.permissions) <= set(before.permissions),
        "expires_at": _is_later(before.expires_at, after.expires_at),
        "query_start": _is_earlier(before.query_start, after.query_start),
        "query_end": _is_later(before.query_end, after.query_end),
        "websocket": after.websocket and not before.websocket,
        "nonce_window": after.nonce_window > before.nonce_window,
        "ip_allow_list": _reaches_further(before.ip_allow_list, after.ip_allow_list),
        "withdrawal_cap": _is_higher(before.withdrawal_cap, after.withdrawal_cap),
        "daily_cap": _is_higher(before.daily_cap, after.daily_cap),
    }
    return frozenset(field for field, is_wider in wider.items() if is_wider)


def _is_later(before: datetime | None, after: datetime | None) -> bool:
    return before is not None and (after is None or after > before)


def _is_earlier(before: datetime | None, after: datetime | None) -> bool:
    return before is not None and (after is None or after < before)


def _is_higher(before: Decimal | None, after: Decimal | None) -> bool:
    return before is not None and (after is None or after > before)


def _reaches_further(before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether some address is allowed that was not; an empty list allows them all."""
    allowed = [ip_network(entry) for entry in before]
    return bool(allowed) and (
        not after or any(not any(_within(ip_network(entry), network) for network in allowed) for entry in after)
    )


def _within(inner: IPv4Network | IPv6Network, outer: IPv4Network | IPv6Network) -> bool:
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and inner.subnet_of(outer)


def _tighten(limits: Limits) -> str:
    missing = [
        words
        for words, is_missing in (
            ("an expiry", limits.expires_at is None),
            ("an IP allow-list", not limits.ip_allow_list),
        )
        if is_missing
    ]
    return f"give the key {' and '.join(missing)}"


def _is_everything(entries: Iterable[str]) -> bool:
    networks = [ip_network(entry) for entry in entries]
    v4 = collapse_addresses(network for network in networks if isinstance(network, IPv4Network))
    v6 = collapse_addresses(network for network in networks if isinstance(network, IPv6Network))
    return any(network.prefixlen == 0 for network in v4) or any(network.prefixlen == 0 for network in v6)


def _network(entry: str) -> str:
    """The canonical text of one address or range. ValueError says what is wrong with it."""
    if "%" in entry or len(entry) > 49:
        raise ValueError(f"{entry[:49]} is not an address.")
    if "/" not in entry:
        return _address(entry)
    try:
        network = ip_network(entry, strict=False)
    except ValueError as error:
        raise ValueError(f"{entry} is not a range such as 203.0.113.0/28 or 2001:db8::/32.") from error
    if network.prefixlen == 0:
        raise ValueError(f"{entry} is every address there is. Leave the list empty if you mean that.")
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped is not None:
        raise ValueError(f"{entry} is a range of IPv4 addresses in disguise. Write it as such.")
    if network.network_address != ip_address(entry.partition("/")[0]):
        raise ValueError(f"{entry} does not begin at its range. Write {network}.")
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def _address(entry: str) -> str:
    try:
        address = ip_address(entry)
    except ValueError as error:
        parts = entry.split(".")
        is_too_large = len(parts) == 4 and all(part.isascii() and part.isdigit() for part in parts)
        why = "; each part ends at 255" if is_too_large and any(int(part) > 255 for part in parts) else ""
        raise ValueError(f"{entry} is not an address{why}.") from error
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        raise ValueError(f"{entry} is an IPv4 address in disguise. Write {address.ipv4_mapped}.")
    return str(address)
