"""Trying a deposit out: for installations that play, never where money is real."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.models import Account
from policies.access import needs
from policies.workflows import Right, Workflow
from portal.core.display import markup
from portal.core.errors import DomainError
from portal.core.money import from_units
from portal.core.web.http import MemberRequest
from portal.treasury.forms.deposits import TryDepositForm
from portal.treasury.visibility import accounts_of
from portal.venues.registry import venue
from portal.venues.types import DepositQuery, DepositRow, DepositStage

WORKFLOW: Final = Workflow.INITIATE_WITHDRAWAL
SHOWN: Final = 10
WORDS: Final = {
    DepositStage.PENDING: "Seen by the network",
    DepositStage.SETTLED: "Waiting for confirmations",
    DepositStage.SUCCESS: "In the balance",
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """One deposit of the list."""

    at: datetime
    amount: str
    address: str
    stage: str


@require_http_methods(["GET", "HEAD", "POST"])
@needs(WORKFLOW, Right.INITIATE)
def try_deposit(request: MemberRequest, pk: int) -> HttpResponse:
    """Send something to an Account from the simulated outside world. Without DEBUG there is no such page."""
    accounts = accounts_of(request.member, WORKFLOW, Right.INITIATE)
    account = next((account for account in accounts if account.pk == pk), None)
    if account is None or not settings.DEBUG:
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
    return [Arrival(row.at, _amount(row), row.address, WORDS[row.stage]) for row in rows]


def _amount(row: DepositRow) -> str:
    return markup.said(from_units(row.amount_units, row.asset.decimals), row.asset.code)
