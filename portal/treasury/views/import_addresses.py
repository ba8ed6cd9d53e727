"""Importing what an exchange lists into the book of its Account: each address by a request of its own."""

from typing import Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.models import Account
from policies.access import needs
from policies.changes import propose
from policies.models import ChangeRequest, State
from policies.workflows import Right, Workflow
from portal.core.display.phrases import counted
from portal.core.errors import DomainError
from portal.core.web.http import MemberRequest
from portal.treasury import mirrors
from portal.treasury.forms.import_addresses import ImportForm
from portal.treasury.mirrors.listed import beside_the_book
from portal.treasury.operations import add_address
from portal.treasury.views import forecasts
from portal.treasury.visibility import accounts_of
from portal.venues.registry import venue
from portal.venues.types import AddressListing

# So many are chosen from at a time; whoever has asked for some finds the next ones.
SHOWN: Final = 200


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Workflow.MANAGE_ADDRESSES, Right.INITIATE)
def import_addresses(request: MemberRequest, account_id: int) -> HttpResponse:
    """Choose what is there and not here; a look asks the exchange, a choice goes by what the look has shown."""
    account = _account(request, account_id)
    listing = _listing(account, asks=request.method != "POST")
    found = beside_the_book(account, listing)
    offered = [one for one in found if one.is_offered]
    data = request.POST if request.method == "POST" else None
    form = ImportForm(data, step_up=request.step_up, account=account, offered=offered[:SHOWN])
    refused: dict[str, str] = {}
    if form.is_valid():
        asked, refused = _ask(request, form)
        _say(request, asked)
        if not refused:
            return redirect("treasury:addresses")
        found = beside_the_book(account, listing)
        offered = [one for one in found if one.is_offered]
    context = {
        "account": account,
        "listing": listing,
        "form": form,
        "offered": [(one, refused.get(one.token, "")) for one in offered[:SHOWN]],
        "refused": len(refused),
        "more": len(offered) - len(offered[:SHOWN]),
        "others": [one for one in found if not one.is_offered],
        "ticked": set(form["chosen"].value() or ()),
        "forecast": forecasts.of_an_addition(request.member, account),
    }
    return render(request, "treasury/import_addresses.html", context)


def _account(request: MemberRequest, account_id: int) -> Account:
    accounts = accounts_of(request.member, Workflow.MANAGE_ADDRESSES, Right.INITIATE)
    found = next((account for account in accounts if account.pk == account_id), None)
    if found is None:
        raise Http404("There is no such Account.")
    return found


def _listing(account: Account, *, asks: bool) -> AddressListing:
    listing = venue(account.venue).read_listed_addresses(account.pk) if asks else mirrors.listing_of(account)
    if listing is None:
        raise Http404("This Account's book of addresses is its own: there is nothing to import.")
    return listing


def _ask(request: MemberRequest, form: ImportForm) -> tuple[list[ChangeRequest], dict[str, str]]:
    """One request for each; what was refused, by its token, in words."""
    asked, refused = [], {}
    note = form.cleaned_data["note"]
    for one in form.picked():
        try:
            asked.append(propose(add_address, actor=request.member, params=form.params(one), note=note))
        except DomainError as error:
            refused[one.token] = error.message
    return asked, refused


def _say(request: MemberRequest, asked: list[ChangeRequest]) -> None:
    done = sum(change.state == State.EXECUTED for change in asked)
    waiting = len(asked) - done
    said = []
    if done:
        said.append(f"{counted(done, 'address')} added.")
    if waiting:
        said.append(f"{counted(waiting, 'address')} asked for: now others have to agree.")
    if said:
        messages.success(request, "\n".join(said))
