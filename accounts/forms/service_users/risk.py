"""What a form says about the key it would make, while it is being filled in."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Final

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.api_keys.permission_catalogue import WEBSOCKET_METHOD, catalogue
from accounts.forms.service_users.caps import typed_cap
from accounts.models.service_user import Permission
from accounts.service_users.key_settings import Limits, ordered, parse_allow_list
from accounts.service_users.risk import at_worst, coverage, is_wide
from portal.core import call_origin
from portal.core.errors import Invalid

PROPOSED_LIFE: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Risk:
    """`worst` sums it up; `list_says` tells what the allow-list lets in; with `is_loose` it takes a yes."""

    worst: str
    list_says: str
    is_loose: bool

    @property
    def level(self) -> str:
        """How grave the notice of it is."""
        return "wait" if self.is_loose else ""


def risk_of(
    permissions: Collection[str],
    *,
    expires_at: object,
    ip_allow_list: str,
    caps: tuple[str, str],
    currency: str,
) -> Risk:
    """The risk of a half-filled form: what cannot be read counts as not given. `caps`: of one withdrawal, of a day."""
    known = set(permissions) & set(Permission.values)
    if not known:
        return Risk("Choose what it may do, and this says what could go wrong.", "", is_loose=False)
    try:
        networks, list_says = parse_allow_list(ip_allow_list), ""
    except Invalid:
        networks, list_says = (), "The allow-list cannot be read yet."
    limits = Limits(
        permissions=ordered(known),
        expires_at=_instant(expires_at),
        query_start=None,
        query_end=None,
        websocket=False,
        nonce_window=0,
        ip_allow_list=networks,
        withdrawal_cap=typed_cap(caps[0]),
        daily_cap=typed_cap(caps[1]),
    )
    return Risk(at_worst(limits, currency), list_says or _list_says(networks), limits.is_loose)


def expiry_help() -> str:
    """The reader's zone, and what is proposed, in it."""
    proposal = timezone.localtime(timezone.now() + PROPOSED_LIFE)
    zone = timezone.get_current_timezone_name()
    return f"{zone}. Empty means never. 90 days from now would be {proposal.day} {proposal:%b %Y}."


def allow_list_help() -> str:
    """What to type into the allow-list, and from where the reader comes, which is often what belongs into it."""
    source = call_origin.current().source
    yours = f" You come from {source}." if source else ""
    return f"Addresses or ranges, IPv4 or IPv6, one a line or pasted in one go. Empty means any address.{yours}"


def websocket_help() -> str:
    """What the setting does, and whether anything serves it yet."""
    return "Let its keys open streams." + ("" if WEBSOCKET_METHOD in catalogue().others else " Not served yet.")


def _list_says(networks: tuple[str, ...]) -> str:
    if not networks:
        return "Without an allow-list it works from any address."
    wide = " That is hardly a limit." if is_wide(networks) else ""
    return f"The allow-list lets in {coverage(networks)}, {_yours(networks)}.{wide}"


def _yours(networks: tuple[str, ...]) -> str:
    try:
        source = ip_address(call_origin.current().source)
    except ValueError:
        return "whoever you are"
    return "yours among them" if any(source in ip_network(entry) for entry in networks) else "yours not among them"


def _instant(value: object) -> datetime | None:
    """What a field for an instant holds: an instant, or a time in the reader's zone, written or read."""
    try:
        at = value if isinstance(value, datetime) else parse_datetime(str(value))
        return timezone.make_aware(at) if at is not None and at.tzinfo is None else at
    except (ValueError, OverflowError):
        return None
