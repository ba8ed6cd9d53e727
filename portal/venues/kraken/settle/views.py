"""The evidence of a withdrawal that nobody knows of, and saying what became of it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from policies.access import allows, needs
from policies.changes import propose
from policies.forecast import forecast
from policies.models import ChangeRequest
from policies.views.asking import answer_to
from policies.workflows import Right, Workflow
from portal.core.display import markup
from portal.core.money import from_units
from portal.core.web.http import MemberRequest
from portal.venues.kraken.models import Look, Step, Withdrawal
from portal.venues.kraken.settle import wording
from portal.venues.kraken.settle.forms import SettleForm
from portal.venues.kraken.settle.settling import settle_withdrawal

WORKFLOW = Workflow.INITIATE_WITHDRAWAL
SHOWN = 30
# Each look is a call under the credential that sends: pressing again and again brings no more of them.
PAUSE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the exchange's list; `is_candidate` if it could be what was sent."""

    refid: str
    at: str
    amount: str
    fee: str
    key: str
    status: str
    is_candidate: bool


@dataclass(frozen=True, slots=True)
class Search:
    """One look, with what the exchange listed then."""

    look: Look
    rows: tuple[Row, ...]


@require_http_methods(["GET", "HEAD", "POST"])
@needs(WORKFLOW, Right.VIEW)
def unknown_withdrawal(request: MemberRequest, reference: str) -> HttpResponse:
    """What we sent and when, each look and what the exchange listed; whoever may initiate says what became of it."""
    row = _found(request, reference)
    may_ask = row.step == Step.UNKNOWN and allows(request.member, WORKFLOW, Right.INITIATE, row.account_id)
    data = request.POST if request.method == "POST" else None
    if data is not None and not allows(request.member, WORKFLOW, Right.INITIATE, row.account_id):
        raise PermissionDenied("You need Initiate on Initiate Withdrawal for this.")
    form = SettleForm(data, step_up=request.step_up, row=row)
    answer = answer_to(
        request,
        form,
        lambda: propose(settle_withdrawal, actor=request.member, params=form.params(), note=form.cleaned_data["note"]),
        done="treasury:withdrawals",
    )
    return answer or render(request, "kraken/unknown_withdrawal.html", _context(request, row, form, may_ask=may_ask))


@require_POST
@needs(WORKFLOW, Right.VIEW)
def look_again(request: MemberRequest, reference: str) -> HttpResponse:
    """Have it looked for at once, instead of in its time; that changes nothing that was said."""
    row = _found(request, reference)
    now = timezone.now()
    lost = Withdrawal.objects.filter(pk=row.pk, step__in=(Step.LOST, Step.UNKNOWN))
    if Look.objects.filter(withdrawal=row.pk, at__range=(now - PAUSE, now)).exists():
        messages.info(request, "It was looked for just now.")
    elif lost.update(look_at=now):
        messages.success(request, "It is being looked for. Load this page again in a moment.")
    return redirect("kraken:unknown_withdrawal", reference=reference)


def _found(request: MemberRequest, reference: str) -> Withdrawal:
    """A withdrawal that was sent, of an Account that the reader may view; others are as unknown as none."""
    rows = Withdrawal.objects.select_related("account", "credential")
    row = rows.filter(reference=reference, account__organization=request.organization).first()
    if row is None or row.sent_at is None or not allows(request.member, WORKFLOW, Right.VIEW, row.account_id):
        raise Http404("There is no such withdrawal.")
    return row


def _context(request: MemberRequest, row: Withdrawal, form: SettleForm, *, may_ask: bool) -> dict[str, Any]:
    code = wording.code_of(row)
    looks = list(row.looked_for.order_by("-pk")[:SHOWN])
    asked = ChangeRequest.objects.filter(reference=row.request, organization=request.organization).first()
    return {
        "row": row,
        "form": form,
        "may_ask": may_ask,
        "is_unknown": row.step == Step.UNKNOWN,
        "is_looked_for": row.step in (Step.LOST, Step.UNKNOWN),
        "amount": markup.said(from_units(row.amount_units, row.decimals), code),
        "max_fee": markup.said(from_units(row.max_fee_units, row.decimals), code),
        "searches": [_search(look) for look in looks],
        "asked": asked,
        "forecast": forecast(request.member, WORKFLOW, account_id=row.account_id, least=1) if may_ask else None,
    }


def _search(look: Look) -> Search:
    found = set(look.found)
    rows = tuple(
        Row(
            refid=each.get("refid", ""),
            at=each.get("time", ""),
            amount=each.get("amount", ""),
            fee=each.get("fee", ""),
            key=each.get("key", ""),
            status=" ".join(filter(None, (each.get("status", ""), each.get("status-prop", "")))),
            is_candidate=each.get("refid") in found,
        )
        for each in look.listed
    )
    return Search(look, rows)
