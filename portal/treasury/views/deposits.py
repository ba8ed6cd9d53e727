"""Money on its way in; and trying that out, for installations that play, never where money is real."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Account
from policies.access import needs
from policies.workflows import Right
from portal.core.display import markup
from portal.core.errors import DomainError, Invalid, Unavailable
from portal.core.money import from_units
from portal.core.web.http import MemberRequest
from portal.treasury.forms.deposits import TryDepositForm
from portal.treasury.views.account_pages import WORKFLOW, Told, accounts_seen, dated, find, framed, told
from portal.treasury.visibility import accounts_of
from portal.venues.protocol import Venue
from portal.venues.registry import venue
from portal.venues.types import DepositPage, DepositQuery, DepositRow, DepositStage, Part

SHOWN: Final = 10
MAX_CURSOR: Final = 200
STAGES: Final[dict[DepositStage, tuple[str, markup.Level]]] = {
    DepositStage.PENDING: ("Seen by the network", "wait"),
    DepositStage.SETTLED: ("Waiting for confirmations", "wait"),
    DepositStage.SUCCESS: ("In the balance", "done"),
    DepositStage.FAILURE: ("Failed", "stop"),
}
ON_THEIR_WAY: Final = (DepositStage.PENDING, DepositStage.SETTLED)
NEWEST: Final = "So the newest deposits stand here, and not the page that was asked for."


@dataclass(frozen=True, slots=True)
class Arrival:
    """One deposit of a list; `said` is what its exchange says besides."""

    at: datetime
    amount: str
    address: str
    stage: str
    level: markup.Level
    said: str
    method: str
    txid: str
    reference: str
    is_on_its_way: bool


@require_safe
@needs(WORKFLOW, Right.VIEW)
def account_deposits(request: MemberRequest, pk: int) -> HttpResponse:
    """What is on its way to an Account, and what has arrived."""
    accounts = accounts_seen(request)
    account = find(accounts, pk)
    exchange = venue(account.venue)
    found = _deposits(exchange, account, request.GET.get("after", "")[:MAX_CURSOR])
    arrivals = [_arrival(row) for row in found.value.rows] if found.value else []
    context = {
        **framed(account, accounts, "treasury:account_deposits"),
        **dated(found),
        "are_known": found.value is not None,
        "coming": [row for row in arrivals if row.is_on_its_way],
        "arrived": [row for row in arrivals if not row.is_on_its_way],
        "page": {"next": found.value.next_cursor if found.value else None},
        "may_try": settings.DEBUG
        and not exchange.is_real
        and account in accounts_of(request.member, WORKFLOW, Right.INITIATE),
    }
    return render(request, "treasury/account_deposits.html", context)


def _deposits(exchange: Venue, account: Account, cursor: str) -> Told[DepositPage]:
    """The page that begins at the cursor; the first one where that cannot be, or cannot be read, which is said."""

    def newest() -> DepositPage:
        return exchange.deposits(account.pk, DepositQuery())

    if not cursor:
        return told(account, Part.DEPOSITS, newest)
    try:
        found = exchange.deposits(account.pk, DepositQuery(cursor=cursor))
    except Invalid:
        return told(account, Part.DEPOSITS, newest)
    except Unavailable as error:
        return replace(told(account, Part.DEPOSITS, newest), trouble=f"{error.message} {NEWEST}")
    return told(account, Part.DEPOSITS, lambda: found)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(WORKFLOW, Right.INITIATE)
def try_deposit(request: MemberRequest, pk: int) -> HttpResponse:
    """Send something to an Account from the simulated outside world. Without DEBUG there is no such page."""
    accounts = accounts_of(request.member, WORKFLOW, Right.INITIATE)
    account = next((account for account in accounts if account.pk == pk), None)
    if account is None or not settings.DEBUG or venue(account.venue).is_real:
        raise Http404("There is no such page.")
    form = TryDepositForm(request.POST if request.method == "POST" else None, account=account)
    if form.is_valid():
        asset, amount = form.asked()
        try:
            sent = venue(account.venue).simulate_deposit(account.pk, asset, amount)
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, f"{_amount(sent)} is on its way to {account.name}.")
            return redirect("treasury:try_deposit", account.pk)
    context = {"form": form, "account": account, "arrivals": _arrivals(account)}
    return render(request, "treasury/try_deposit.html", context)


def _arrivals(account: Account) -> list[Arrival]:
    rows = venue(account.venue).deposits(account.pk, DepositQuery(limit=SHOWN)).rows
    return [_arrival(row) for row in rows]


def _arrival(row: DepositRow) -> Arrival:
    stage, level = STAGES[row.stage]
    return Arrival(
        at=row.at,
        amount=_amount(row),
        address=row.address,
        stage=stage,
        # What its exchange holds or sends back is not simply there, whatever else it says.
        level="wait" if row.said else level,
        said=row.said,
        method=row.method,
        txid=row.txid,
        reference=row.reference,
        is_on_its_way=row.stage in ON_THEIR_WAY,
    )


def _amount(row: DepositRow) -> str:
    return markup.said(from_units(row.amount_units, row.asset.decimals), row.asset.code)
