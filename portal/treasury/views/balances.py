"""What an Account has, what of it is spoken for, and how that came about."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Final

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Account
from policies.access import needs
from policies.workflows import Right
from portal.core.errors import Unavailable
from portal.core.web.http import MemberRequest
from portal.treasury import expired_holds
from portal.treasury.models import Withdrawal
from portal.treasury.views.account_pages import WORKFLOW, Told, accounts_seen, dated, find, framed, full, told
from portal.treasury.visibility import accounts_of
from portal.venues.errors import UnknownAsset, UnknownLedgerId
from portal.venues.protocol import Venue
from portal.venues.registry import venue
from portal.venues.types import Balance, LedgerQuery, LedgerRow, Part

LEDGER_ID: Final = re.compile(r"[A-Z0-9-]{1,20}", re.ASCII)
# As many as `Venue.ledger` gives at most.
LEDGER_ROWS: Final = 50
CENT: Final = Decimal("0.01")
NEWEST: Final = "So what moved last stands here, and not the page that was asked for."


@dataclass(frozen=True, slots=True)
class Standing:
    """One asset of an Account, at its full scale."""

    code: str
    asset: str
    total: str
    by_orders: str
    by_withdrawals: str
    free: str


@dataclass(frozen=True, slots=True)
class Worth:
    """An Account in the Organization's currency; `amount` is empty where the exchange has no price in it."""

    currency: str
    amount: str = ""


@dataclass(frozen=True, slots=True)
class Movement:
    """One row of the ledger; `withdrawal` is the reference of the one that it booked, if it did."""

    id: str
    at: datetime
    kind: str
    code: str
    amount: str
    fee: str
    balance: str
    reference: str
    withdrawal: str


@require_safe
@needs(WORKFLOW, Right.VIEW)
def balances(request: MemberRequest) -> HttpResponse:
    """The first Account that the member may view, with the way to the others."""
    accounts = accounts_seen(request)
    if not accounts:
        return render(request, "treasury/balances.html", {"accounts": accounts})
    return _page(request, accounts[0], accounts)


@require_safe
@needs(WORKFLOW, Right.VIEW)
def account_balances(request: MemberRequest, pk: int) -> HttpResponse:
    """One Account. One that the member may not view is as unknown as one that never was."""
    accounts = accounts_seen(request)
    return _page(request, find(accounts, pk), accounts)


def _page(request: MemberRequest, account: Account, accounts: list[Account]) -> HttpResponse:
    expired_holds.release_due(account.pk)
    exchange = venue(account.venue)
    held = told(account, Part.BALANCES, lambda: exchange.balances(account.pk))
    rows = sorted(held.value or (), key=lambda row: row.asset.code)
    standing = [_standing(row) for row in rows]
    currency = request.organization.currency
    worth = told(account, Part.WORTH, lambda: _worth(exchange, account, currency)) if rows else None
    asset = next((row.asset for row in standing if row.asset == request.GET.get("asset")), "")
    moved = _ledger(exchange, account, asset, request.GET.get("after", ""))
    found, following = moved.value or ((), None)
    context = {
        **framed(account, accounts, "treasury:account_balances"),
        **dated(held, *([worth] if worth else []), moved),
        "is_known": held.value is not None,
        "standing": standing,
        "worth": worth.value if worth else None,
        "asset": asset,
        "movements": _movements(account, found),
        "are_movements_known": moved.value is not None,
        "page": {"next": following},
        "may_try": settings.DEBUG and not exchange.is_real,
        "may_withdraw": account in accounts_of(request.member, WORKFLOW, Right.INITIATE),
    }
    return render(request, "treasury/balances.html", context)


def _worth(exchange: Venue, account: Account, currency: str) -> Worth:
    """What an Account can use and what its orders hold, at the exchange's prices of this moment."""
    try:
        worth = exchange.trade_balance(account.pk, currency)
    except UnknownAsset:
        return Worth(currency=currency)
    whole = worth.equivalent.quantize(CENT, ROUND_DOWN)
    return Worth(currency=currency, amount=f"{whole:,f}")


def _ledger(
    exchange: Venue, account: Account, asset: str, first: str
) -> Told[tuple[tuple[LedgerRow, ...], str | None]]:
    """The page that begins with the row `first`, and the row that the next one begins with.

    A place that cannot be shows the first page; so does one that cannot be read, and says so.
    """
    assets = (asset,) if asset else ()

    def newest() -> tuple[tuple[LedgerRow, ...], str | None]:
        return _cut(exchange.ledger(account.pk, LedgerQuery(assets=assets, with_count=False)).rows)

    if not LEDGER_ID.fullmatch(first):
        return told(account, Part.LEDGER, newest)
    try:
        found = exchange.ledger(account.pk, LedgerQuery(assets=assets, until_id=first, with_count=False))
    except UnknownLedgerId:
        return told(account, Part.LEDGER, newest)
    except Unavailable as error:
        return replace(told(account, Part.LEDGER, newest), trouble=f"{error.message} {NEWEST}")
    return told(account, Part.LEDGER, lambda: _cut(found.rows))


def _cut(rows: tuple[LedgerRow, ...]) -> tuple[tuple[LedgerRow, ...], str | None]:
    """The last row of a full page shows that there is more, and where that begins."""
    return (rows, None) if len(rows) < LEDGER_ROWS else (rows[:-1], rows[-1].id)


def _movements(account: Account, rows: tuple[LedgerRow, ...]) -> list[Movement]:
    asked = Withdrawal.objects.filter(account=account, reference__in=[row.reference for row in rows])
    known = set(asked.values_list("reference", flat=True))
    return [
        Movement(
            id=row.id,
            at=row.at,
            kind=row.kind,
            code=row.asset.code,
            amount=full(row.amount_units, row.asset),
            fee=full(row.fee_units, row.asset) if row.fee_units else "",
            balance=full(row.balance_units, row.asset),
            reference=row.reference,
            withdrawal=row.reference if row.reference in known else "",
        )
        for row in rows
    ]


def _standing(row: Balance) -> Standing:
    def at_scale(units: int) -> str:
        return full(units, row.asset)

    return Standing(
        code=row.asset.code,
        asset=row.asset.id,
        total=at_scale(row.units + row.held_by_withdrawals_units),
        by_orders=at_scale(row.held_by_orders_units),
        by_withdrawals=at_scale(row.held_by_withdrawals_units),
        free=at_scale(row.units - row.held_by_orders_units),
    )
