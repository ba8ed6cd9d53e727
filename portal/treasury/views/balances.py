"""What an Account has, what of it is spoken for, and how that came about."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Final

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Account
from policies.access import needs
from policies.workflows import Right, Workflow
from portal.core.money import from_units
from portal.core.web.http import MemberRequest
from portal.treasury import expired_holds
from portal.treasury.models import Withdrawal
from portal.treasury.visibility import accounts_of
from portal.venues.errors import UnknownAsset, UnknownLedgerId
from portal.venues.protocol import Venue
from portal.venues.registry import venue
from portal.venues.types import Asset, Balance, LedgerQuery, LedgerRow

WORKFLOW: Final = Workflow.INITIATE_WITHDRAWAL
LEDGER_ID: Final = re.compile(r"[A-Z0-9-]{1,20}", re.ASCII)
# As many as `Venue.ledger` gives at most.
LEDGER_ROWS: Final = 50
CENT: Final = Decimal("0.01")


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
    accounts = accounts_of(request.member, WORKFLOW)
    if not accounts:
        return render(request, "treasury/balances.html", {"accounts": accounts})
    return _page(request, accounts[0], accounts)


@require_safe
@needs(WORKFLOW, Right.VIEW)
def account_balances(request: MemberRequest, pk: int) -> HttpResponse:
    """One Account. One that the member may not view is as unknown as one that never was."""
    accounts = accounts_of(request.member, WORKFLOW)
    account = next((account for account in accounts if account.pk == pk), None)
    if account is None:
        raise Http404("There is no such Account.")
    return _page(request, account, accounts)


def _page(request: MemberRequest, account: Account, accounts: list[Account]) -> HttpResponse:
    expired_holds.release_due(account.pk)
    exchange = venue(account.venue)
    rows = sorted(exchange.balances(account.pk), key=lambda row: row.asset.code)
    standing = [_standing(row) for row in rows]
    asset = next((row.asset for row in standing if row.asset == request.GET.get("asset")), "")
    moved, following = _ledger(exchange, account, asset, request.GET.get("after", ""))
    context = {
        "account": account,
        "accounts": accounts,
        "standing": standing,
        "worth": _worth(exchange, account, request.organization.currency) if rows else None,
        "asset": asset,
        "movements": _movements(account, moved),
        "page": {"next": following},
        "may_try": settings.DEBUG,
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


def _ledger(exchange: Venue, account: Account, asset: str, first: str) -> tuple[tuple[LedgerRow, ...], str | None]:
    """The page that begins with the row `first`, and the row that the next one begins with.

    A place that cannot be shows the first page.
    """
    assets = (asset,) if asset else ()
    first = first if LEDGER_ID.fullmatch(first) else ""
    try:
        found = exchange.ledger(account.pk, LedgerQuery(assets=assets, until_id=first, with_count=False))
    except UnknownLedgerId:
        found = exchange.ledger(account.pk, LedgerQuery(assets=assets, with_count=False))
    if len(found.rows) < LEDGER_ROWS:
        return found.rows, None
    # The last row of a full page shows that there is more, and where that begins.
    return found.rows[:-1], found.rows[-1].id


def _movements(account: Account, rows: tuple[LedgerRow, ...]) -> list[Movement]:
    asked = Withdrawal.objects.filter(account=account, reference__in=[row.reference for row in rows])
    known = set(asked.values_list("reference", flat=True))
    return [
        Movement(
            id=row.id,
            at=row.at,
            kind=row.kind,
            code=row.asset.code,
            amount=_full(row.amount_units, row.asset),
            fee=_full(row.fee_units, row.asset) if row.fee_units else "",
            balance=_full(row.balance_units, row.asset),
            reference=row.reference,
            withdrawal=row.reference if row.reference in known else "",
        )
        for row in rows
    ]


def _full(units: int, asset: Asset) -> str:
    """At the asset's full scale, grouped for the eye, with a minus that is as wide as the digits."""
    return f"{from_units(units, asset.decimals):,f}".replace("-", "\N{MINUS SIGN}")


def _standing(row: Balance) -> Standing:
    def full(units: int) -> str:
        return _full(units, row.asset)

    return Standing(
        code=row.asset.code,
        asset=row.asset.id,
        total=full(row.units + row.held_by_withdrawals_units),
        by_orders=full(row.held_by_orders_units),
        by_withdrawals=full(row.held_by_withdrawals_units),
        free=full(row.units - row.held_by_orders_units),
    )
