"""Where money may go: the book, and asking to change it."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Account
from policies.access import needs
from policies.changes import propose
from policies.forecast import forecast
from policies.models import ChangeRequest
from policies.views.asking import answer_to
from policies.workflows import Right, Workflow
from portal.core.errors import Unavailable
from portal.core.paging import keyset
from portal.core.web.http import MemberRequest
from portal.treasury import address_book, destination_html, destinations, mirrors
from portal.treasury.forms.addresses import AddressForm, ChooseForm, RemoveForm, RenameForm
from portal.treasury.models import Address
from portal.treasury.operations import add_address, remove_address, rename_address
from portal.treasury.operations.address_descriptions import beware_of_removal
from portal.treasury.views import forecasts
from portal.treasury.visibility import accounts_of
from portal.venues.registry import venue
from portal.venues.types import AddressListing

LONGEST_SEARCH: Final = 40


@dataclass(frozen=True, slots=True)
class Row:
    """One address of the list. `use` is None where the reader may not view the Account's withdrawals."""

    address: Address
    code: str
    destination: SafeString
    memo_label: str
    use: address_book.Use | None
    waiting: list[ChangeRequest]
    may_ask: bool
    may_withdraw: bool
    drift: str
    is_mirrored: bool


@dataclass(frozen=True, slots=True)
class Mirror:
    """An Account whose book mirrors its exchange's own."""

    account: Account
    listing: AddressListing
    may_import: bool


@require_safe
@needs(Workflow.MANAGE_ADDRESSES, Right.VIEW)
def addresses(request: MemberRequest) -> HttpResponse:
    """The addresses of the Accounts that the member may view, Account by Account."""
    accounts = accounts_of(request.member, Workflow.MANAGE_ADDRESSES)
    codes = _codes(accounts)
    account = next((account for account in accounts if str(account.pk) == request.GET.get("account")), None)
    asset = request.GET.get("asset", "")
    name = "".join(filter(str.isprintable, request.GET.get("name", "")))[:LONGEST_SEARCH].strip()
    rows = Address.objects.filter(account__in=[account] if account else accounts)
    rows = rows.filter(organization=request.organization, removed_at=None)
    if asset in codes:
        rows = rows.filter(asset=asset)
    if name:
        rows = rows.filter(key__icontains=name)
    page = keyset(rows.select_related("account"), after=request.GET.get("after"), order=("account_id", "key", "id"))
    asking = accounts_of(request.member, Workflow.MANAGE_ADDRESSES, Right.INITIATE)
    listings = mirrors.listings_of(accounts)
    may_ask = {account.pk for account in asking}
    context = {
        "page": page,
        "rows": _rows(request, page.rows, codes, may_ask, listings),
        "mirrors": [Mirror(each, listings[each.pk], each.pk in may_ask) for each in accounts if each.pk in listings],
        "additions": address_book.waiting_additions(request.organization, [account] if account else accounts),
        "accounts": accounts,
        "assets": sorted(codes.items(), key=lambda item: item[1]),
        "account": account,
        "asset": asset if asset in codes else "",
        "name": name,
        "is_filtered": bool(account or asset in codes or name),
        "may_ask": bool(asking),
    }
    return render(request, "treasury/addresses.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Workflow.MANAGE_ADDRESSES, Right.INITIATE)
def new_address(request: MemberRequest) -> HttpResponse:
    """Choose Account and network, then ask for an address there."""
    accounts = accounts_of(request.member, Workflow.MANAGE_ADDRESSES, Right.INITIATE)
    choice = ChooseForm(request.GET if "way" in request.GET else None, accounts=accounts)
    if not choice.is_valid():
        return render(request, "treasury/choose_address.html", {"form": choice})
    account, method = choice.cleaned_data["account"], choice.method
    data = request.POST if request.method == "POST" else None
    form = AddressForm(data, step_up=request.step_up, account=account, method=method)
    answer = answer_to(
        request,
        form,
        lambda: propose(add_address, actor=request.member, params=form.params(), note=form.cleaned_data["note"]),
        done="treasury:addresses",
    )
    if answer:
        return answer
    foreseen = forecasts.of_an_addition(request.member, account)
    context = {"form": form, "account": account, "method": method, "forecast": foreseen}
    return render(request, "treasury/new_address.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Workflow.MANAGE_ADDRESSES, Right.INITIATE)
def rename(request: MemberRequest, pk: int) -> HttpResponse:
    """Ask for another name."""
    address = _address(request, pk)
    form = RenameForm(request.POST if request.method == "POST" else None, step_up=request.step_up, address=address)
    answer = answer_to(
        request,
        form,
        lambda: propose(rename_address, actor=request.member, params=form.params(), note=form.cleaned_data["note"]),
        done="treasury:addresses",
    )
    if answer:
        return answer
    refusal = mirrors.NO_RENAMING if mirrors.listing_of(address.account) is not None else ""
    context = {"form": form, "refusal": refusal, **_about(request, address)}
    return render(request, "treasury/rename_address.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Workflow.MANAGE_ADDRESSES, Right.INITIATE)
def remove(request: MemberRequest, pk: int) -> HttpResponse:
    """Ask that no more money can go there."""
    address = _address(request, pk)
    form = RemoveForm(request.POST if request.method == "POST" else None, step_up=request.step_up, address=address)
    answer = answer_to(
        request,
        form,
        lambda: propose(remove_address, actor=request.member, params=form.params(), note=form.cleaned_data["note"]),
        done="treasury:addresses",
    )
    if answer:
        return answer
    context = {"form": form, "beware": beware_of_removal(address), **_about(request, address)}
    return render(request, "treasury/remove_address.html", context)


def _codes(accounts: list[Account]) -> dict[str, str]:
    """How people call each asset; of a venue that cannot say now, none."""
    found = {}
    for name in {account.venue: None for account in accounts}:
        with suppress(Unavailable):
            found.update({asset.id: asset.code for asset in venue(name).assets()})
    return found


def _rows(
    request: MemberRequest,
    found: list[Address],
    codes: dict[str, str],
    asking: set[int],
    listings: dict[int, AddressListing],
) -> list[Row]:
    own = AddressListing()
    uses = address_book.uses(found, accounts_of(request.member, Workflow.INITIATE_WITHDRAWAL))
    waiting = address_book.waiting(request.organization, found)
    sending = {account.pk for account in accounts_of(request.member, Workflow.INITIATE_WITHDRAWAL, Right.INITIATE)}
    return [
        Row(
            address=address,
            code=codes.get(address.asset, address.asset),
            destination=destination_html.destination(address.network, address.address),
            memo_label=destinations.network_of(address.network).memo or "Memo",
            use=uses.get(address.pk),
            waiting=waiting.get(address.pk, []),
            may_ask=address.account_id in asking,
            may_withdraw=address.account_id in sending,
            drift=listings.get(address.account_id, own).trouble_with(mirrors.destination_of(address)),
            is_mirrored=address.account_id in listings,
        )
        for address in found
    ]


def _address(request: MemberRequest, pk: int) -> Address:
    """An address of an Account in which the member may ask; a foreign one is as unknown as one that never was."""
    accounts = accounts_of(request.member, Workflow.MANAGE_ADDRESSES, Right.INITIATE)
    rows: QuerySet[Address] = Address.objects.filter(organization=request.organization, account__in=accounts)
    address = rows.select_related("account").filter(pk=pk, removed_at=None).first()
    if address is None:
        raise Http404("There is no such address, or it was renamed or removed meanwhile.")
    return address


def _about(request: MemberRequest, address: Address) -> dict[str, object]:
    return {
        "address": address,
        "code": _codes([address.account]).get(address.asset, address.asset),
        "destination": destination_html.destination(address.network, address.address),
        "waiting": address_book.waiting(request.organization, [address]).get(address.pk, []),
        "forecast": forecast(request.member, Workflow.MANAGE_ADDRESSES, account_id=address.account_id),
    }
