"""Since when an Account's book has led to a destination without a gap, whatever it was called (DESIGN P7)."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from django.db.models import Q

from portal.treasury.destinations import network_of
from portal.treasury.destinations.identity import identity, parts_of
from portal.treasury.models import Address

HOUR: Final = 3600
# From when to when a row stood in the book; one that stands there still has no end.
Stay: TypeAlias = tuple[datetime, datetime | None]


def age_hours(account_id: int, destination: str, now: datetime) -> float:
    """How long it has been in the Account's book by now; nought for what is not in it. One statement."""
    place = (account_id, destination)
    return ages_of((place,), now)[place]


def ages_of(places: Collection[tuple[int, str]], now: datetime) -> dict[tuple[int, str], float]:
    """The same of several destinations, each in the book of an Account. One statement."""
    wanted = Q(pk__in=[])
    for account_id, destination in places:
        wanted |= Q(_written_as(destination), account=account_id)
    stays: dict[tuple[int, str], list[Stay]] = {place: [] for place in places}
    fields = ("account_id", "network", "address", "memo", "added_at", "removed_at")
    for account_id, network, address, memo, added_at, removed_at in Address.objects.filter(wanted).values_list(*fields):
        place = (account_id, identity(network, address, memo))
        if place in stays:
            stays[place].append((added_at, removed_at))
    return {place: hours_in_book(found, now) for place, found in stays.items()}


def _written_as(destination: str) -> Q:
    """How it can stand in a book: in other capitals, for several assets, a bank account with whatever reference."""
    network, address, memo = parts_of(destination)
    if network_of(network).is_bank:
        return Q(network=network, address__istartswith=address)
    return Q(network=network, address__iexact=address, memo=memo)


def hours_in_book(stays: Iterable[Stay], now: datetime) -> float:
    """How long, by `now`, these rows of a book have followed each other without a gap; nought if none stands then."""
    there = [(begins, ends) for begins, ends in stays if begins <= now]
    since = _first_of_those_that_cover(there, now)
    if since is None:
        return 0.0
    while (earlier := _first_of_those_that_cover(there, since)) is not None and earlier < since:
        since = earlier
    return (now - since).total_seconds() / HOUR


def _first_of_those_that_cover(stays: Sequence[Stay], moment: datetime) -> datetime | None:
    """Where the earliest begins of the rows that stood at `moment`."""
    covering = (begins for begins, ends in stays if begins <= moment and (ends is None or ends >= moment))
    return min(covering, default=None)
