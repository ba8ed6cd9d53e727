"""Where money may go."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from policies.access import needs
from policies.workflows import Right, Workflow
from portal.core.http import MemberRequest
from portal.core.paging import keyset
from portal.treasury.models import Address
from portal.treasury.viewing import accounts_of
from portal.venues.registry import venue


@require_safe
@needs(Workflow.MANAGE_ADDRESSES, Right.VIEW)
def addresses(request: MemberRequest) -> HttpResponse:
    """The addresses of the Accounts that the member may view, Account by Account."""
    accounts = accounts_of(request.member, Workflow.MANAGE_ADDRESSES)
    codes = {asset.id: asset.code for account in accounts for asset in venue(account.venue).assets()}
    chosen = request.GET.get("asset", "")
    rows = Address.objects.filter(organization=request.organization, account__in=accounts, removed_at=None)
    if chosen in codes:
        rows = rows.filter(asset=chosen)
    page = keyset(rows.select_related("account"), after=request.GET.get("after"), order=("account_id", "key", "id"))
    context = {
        "page": page,
        "rows": [(address, codes[address.asset]) for address in page.rows],
        "assets": sorted(codes.items(), key=lambda item: item[1]),
        "chosen": chosen if chosen in codes else "",
    }
    return render(request, "treasury/addresses.html", context)
