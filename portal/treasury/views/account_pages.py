"""The pages of one Account: finding it, the way from one to the other, and of which moment is what stands there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from django.http import Http404

from accounts.models import Account
from policies.workflows import Workflow
from portal.core.display.phrases import listed
from portal.core.errors import Unavailable
from portal.core.web.http import MemberRequest
from portal.treasury.visibility import accounts_of
from portal.venues.registry import venue
from portal.venues.types import Asset, Part

T = TypeVar("T")
# What was told does not change any more.
T_co = TypeVar("T_co", covariant=True)

WORKFLOW: Final = Workflow.INITIATE_WITHDRAWAL
MINUS: Final = "\N{MINUS SIGN}"
NAMES: Final = {
    Part.BALANCES: "balances",
    Part.WORTH: "what they are worth",
    Part.LEDGER: "what moved",
    Part.OPEN_ORDERS: "open orders",
    Part.CLOSED_ORDERS: "closed orders",
    Part.TRADES: "trades",
    Part.DEPOSITS: "deposits",
}
# The pages of an Account by their routes, in the order of their tabs.
SECTIONS: Final = (
    ("treasury:account_balances", "Balances"),
    ("treasury:account_orders", "Orders"),
    ("treasury:account_deposits", "Deposits"),
)


@dataclass(frozen=True, slots=True)
class Told(Generic[T_co]):
    """A part of what an Account has, as of `at`; None if it was never known. `trouble`: why not as of now."""

    part: Part
    value: T_co | None
    at: datetime | None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Absence:
    """What could not be read again for one reason: which parts stand there as of when, and which do not at all."""

    trouble: str
    old: tuple[tuple[datetime, str], ...]
    missing: str


def accounts_seen(request: MemberRequest) -> list[Account]:
    """The Accounts whose pages the member may view, by name."""
    return accounts_of(request.member, WORKFLOW)


def find(accounts: Sequence[Account], pk: int) -> Account:
    """The one of that number. One that the member may not view is as unknown as one that never was.

    Raises: Http404.
    """
    account = next((account for account in accounts if account.pk == pk), None)
    if account is None:
        raise Http404("There is no such Account.")
    return account


def told(account: Account, part: Part, read: Callable[[], T]) -> Told[T]:
    """What `read` tells of that part, and of which moment it is."""
    exchange = venue(account.venue)
    try:
        value = read()
    except Unavailable as error:
        return Told(part, None, None, error.message)
    found = exchange.as_of(account.pk, part)
    return Told(part, value, found.at, found.trouble)


def dated(*parts: "Told[object]") -> dict[str, object]:
    """What a page says of the moment that it shows: the oldest of what is as of now, and the rest by what is wrong."""
    fresh = [part.at for part in parts if part.at is not None and not part.trouble]
    reasons = dict.fromkeys(part.trouble for part in parts if part.trouble)
    return {"as_of": min(fresh, default=None), "absences": [_absence(reason, parts) for reason in reasons]}


def framed(account: Account, accounts: Sequence[Account], section: str) -> dict[str, object]:
    """What the head of each of these pages needs: `section` is the route of the one that is open."""
    return {
        "account": account,
        "accounts": accounts,
        "section": section,
        "sections": SECTIONS,
        "is_real": venue(account.venue).is_real,
    }


def full(units: int, asset: Asset) -> str:
    """At the asset's full scale, grouped for the eye, with a minus that is as wide as the digits."""
    digits = str(abs(units)).rjust(asset.decimals + 1, "0")
    whole, rest = digits[: len(digits) - asset.decimals], digits[len(digits) - asset.decimals :]
    return f"{MINUS if units < 0 else ''}{int(whole):,}{'.' if rest else ''}{rest}"


def _absence(reason: str, parts: Sequence["Told[object]"]) -> Absence:
    of_it = [part for part in parts if part.trouble == reason]
    old: dict[datetime, list[str]] = {}
    for part in of_it:
        if part.value is not None and part.at is not None:
            old.setdefault(part.at.replace(microsecond=0), []).append(NAMES[part.part])
    missing = [NAMES[part.part] for part in of_it if part.value is None]
    return Absence(reason, tuple((at, listed(names)) for at, names in old.items()), listed(missing))
