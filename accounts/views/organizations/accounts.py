"""The Accounts of an Organization: the list, and asking for another one (DESIGN O5)."""

from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.forecast import forecast
from accounts.forms.organizations.settings import AccountForm
from accounts.models import Account
from accounts.organizations.settings import add_account
from policies.access import allows, needs
from policies.changes import propose
from policies.views.asking import answer_to
from policies.workflows import Right, Workflow
from portal.core.paging import keyset
from portal.core.web.http import MemberRequest


@require_safe
@needs(Workflow.MANAGE_ACCESS, Right.VIEW)
def accounts(request: MemberRequest) -> HttpResponse:
    """Every Account, where its balances live, and how many Service Users work in it."""
    at_work = Count("service_users", filter=Q(service_users__removed_at=None))
    rows = Account.objects.filter(organization=request.organization).annotate(bots=at_work)
    context = {
        "page": keyset(rows, after=request.GET.get("after"), order=("id",)),
        "may_ask": allows(request.member, Workflow.MANAGE_ACCESS, Right.INITIATE),
    }
    return render(request, "accounts/accounts.html", context)


@require_http_methods(["GET", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def new_account(request: MemberRequest) -> HttpResponse:
    """Ask for another Account."""
    form = AccountForm(request.POST or None, step_up=request.step_up)
    answer = answer_to(
        request,
        form,
        lambda: propose(add_account, actor=request.member, params=form.params()),
        done="accounts:accounts",
    )
    if answer:
        return answer
    notice = forecast(
        request.member, account_id=None, afterwards="It starts without balances, addresses and keys.", protected=True
    )
    context = {"form": form, "notice": notice, "button": "Ask for approval" if notice.waits else "Add Account"}
    return render(request, "accounts/new_account.html", context)
