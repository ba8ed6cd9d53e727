"""What to beware of about a destination or an amount: said to whoever asks, and again to whoever approves."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from policies.models import ChangeRequest, State
from portal.core.display.descriptions import Notice
from portal.treasury import address_names, destinations
from portal.treasury.models import Address, Withdrawal

ALIKE_WITHIN: Final = timedelta(hours=24)
NAMED: Final = 3
LOOKED_AT: Final = 200
REMOVED: Final = (
    "Nobody can approve it while the address is out of the book. "
    "Reject it, have it cancelled, or have the address added again."
)
COMPARE: Final = "Compare the address, letter by letter, with a source outside this portal."


@dataclass(frozen=True, slots=True)
class Like:
    """What makes two withdrawals alike, and when this one was asked, or would be."""

    organization_id: int
    asset: str
    amount_units: int
    address: str
    memo: str
    at: datetime


def first_use(row: Address, address: str, memo: str) -> tuple[Notice, ...]:
    """Says when nothing was ever sent there from this Organization, under whatever name; `row` knows who added it."""
    to_it = Withdrawal.objects.filter(organization=row.organization_id, address__address=address, address__memo=memo)
    if to_it.filter(change__state=State.EXECUTED).exists():
        return ()
    day = timezone.localtime(row.added_at)
    text = f"It was added on {day.day} {day:%b %Y} by {row.added_by}. Compare it with a source outside this portal."
    return (Notice("wait", "Nothing has been sent to this address before.", text),)


def is_out_of_the_book(row: Address) -> bool:
    """Whether the address was taken out of the book, and is not there under another name either.

    A renaming makes a new row for the same destination: that one stays in the book.
    """
    return row.removed_at is not None and not _names_now(row)


def since_asked(row: Address, key: str) -> tuple[Notice, ...]:
    """What became of an address, asked for as `key`, and of its name, after it was asked for."""
    said = []
    now = _names_now(row)
    if row.removed_at is not None and not now:
        day = timezone.localtime(row.removed_at)
        title = f"{key} was removed from the address book on {day.day} {day:%b %Y, %H:%M}, after this was asked."
        said.append(Notice("stop", title, REMOVED))
    elif now and key not in now:
        title = f"The address is called {' or '.join(now)} now, and not {key} any more."
        said.append(Notice("wait", title, "Where it leads is the same."))
    others = Address.objects.filter(account=row.account_id, key__iexact=key, removed_at=None)
    if others.exclude(asset=row.asset, address=row.address, memo=row.memo).exists():
        text = "This request goes to the address that is shown here, not to that one."
        said.append(Notice("wait", f"The name {key} stands for another address by now.", text))
    return tuple(said)


def _names_now(row: Address) -> list[str]:
    book = Address.objects.filter(account=row.account_id, asset=row.asset, method=row.method, removed_at=None)
    same = book.filter(network=row.network, address=row.address, memo=row.memo)
    return list(same.order_by("key").values_list("key", flat=True)[:NAMED])


def look_alike(organization_id: int, network: str, address: str) -> tuple[Notice, ...]:
    """Says which other addresses, in the book now or once, begin and end as this one does.

    People compare the first and the last letters; who wants to be mistaken for an address makes one that shares them.
    """
    found = _twins(organization_id, network, address)
    if not found:
        return ()
    names = " or ".join(f"{other.key} of {other.account.name}" for other in found)
    theirs = " ".join(f"{other.key} is {other.address}." for other in found)
    return (Notice("wait", f"This is not {names}: it only begins and ends alike.", f"{theirs} {COMPARE}"),)


def known_elsewhere(organization_id: int, address: str, memo: str, *, but: int) -> tuple[Notice, ...]:
    """Says under which names the Organization knows this destination already, other than in the Account `but`."""
    rows = Address.objects.filter(organization=organization_id, address=address, memo=memo, removed_at=None)
    others = rows.exclude(account=but).select_related("account").order_by("pk")[:NAMED]
    found = [f"{other.key} of {other.account.name}" for other in others]
    if not found:
        return ()
    return (Notice("pen", f"It is the same address as {' and '.join(found)}.", "That one was agreed to before."),)


def name_used_before(account_id: int, key: str, address: str, memo: str) -> tuple[Notice, ...]:
    """Says when the name stood for another address: bots send to names."""
    if not address_names.stood_for_another(account_id, key, address, memo):
        return ()
    text = (
        "Bots ask by name. One that still asks for it would send to the new address, so this never runs at once. "
        "Another name takes no more than its policy says."
    )
    return (Notice("wait", f"The name {key} stood for another address before.", text),)


def asked_alike(like: Like, asker: Q, label: str, *, but: Withdrawal | None = None) -> tuple[Notice, ...]:
    """A like withdrawal of the same initiator within a day may be a mistake or a replay (security AP-14)."""
    others = Withdrawal.objects.filter(
        asker,
        organization=like.organization_id,
        asset=like.asset,
        amount_units=like.amount_units,
        address__address=like.address,
        address__memo=like.memo,
        created_at__gt=like.at - ALIKE_WITHIN,
        created_at__lt=like.at + ALIKE_WITHIN,
    ).exclude(pk=but.pk if but else 0)
    said = [
        (reverse("policies:request", args=[other.change.reference]), other.change.number, _state(other.change))
        for other in others.select_related("change").order_by("-pk")[:5]
    ]
    if not said:
        return ()
    title = f"{label} asked for the same amount to the same address within 24 hours."
    links = format_html_join(", ", '<a href="{}">request {}</a> ({})', said)
    return (Notice("wait", title, format_html("See {}. Make sure that both are meant.", links)),)


def _state(change: ChangeRequest) -> str:
    return str(change.shown_state.label).lower()


def _twins(organization_id: int, network: str, address: str) -> list[Address]:
    mine = tuple(map(str.lower, destinations.ends(network, address)))
    rows = Address.objects.filter(organization=organization_id, network=network).exclude(address__iexact=address)
    rows = rows.filter(address__icontains=mine[0]).filter(address__icontains=mine[1])
    twins: dict[str, Address] = {}
    for other in rows.select_related("account").order_by("-pk")[:LOOKED_AT]:
        if tuple(map(str.lower, destinations.ends(network, other.address))) == mine:
            twins.setdefault(other.address, other)
    return list(twins.values())[:NAMED]
