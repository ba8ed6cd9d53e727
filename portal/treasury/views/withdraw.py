"""A member's own withdrawal: what, then whether it is meant, then the same road as a bot's."""

from decimal import Decimal
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Account
from policies.access import needs
from policies.forecast import forecast
from policies.measures import Foreseen
from policies.models import ChangeRequest
from policies.rules.language import MEMBER, initiator_id
from policies.snapshot import gather
from policies.snapshot.measured import foreseen
from policies.views.asking import onward
from policies.workflows import Right, Workflow
from portal.core.display import markup
from portal.core.display.descriptions import Figure, Notice
from portal.core.errors import DomainError
from portal.core.money import parse_plain, plain, to_units, wire
from portal.core.web.http import MemberRequest
from portal.treasury import destination_html, expired_holds, idempotency, mirrors, warnings
from portal.treasury.destinations.identity import identity
from portal.treasury.forms import drafts
from portal.treasury.forms.drafts import Draft
from portal.treasury.forms.withdrawals import ReviewForm, WithdrawForm
from portal.treasury.idempotency import SentForm
from portal.treasury.models import Address
from portal.treasury.operations import Withdraw
from portal.treasury.operations.withdrawal_descriptions import amount_with_fee
from portal.treasury.quotes import Preview, preview
from portal.treasury.visibility import accounts_of
from portal.treasury.warnings import AskedAlike, LookAlike
from portal.treasury.withdrawals import request_withdrawal
from portal.venues.registry import venue

WORKFLOW: Final = Workflow.INITIATE_WITHDRAWAL
GONE: Final = "That review is no longer open.\nIt holds for an hour, and for who began it. Write it once more."


@require_http_methods(["GET", "HEAD", "POST"])
@needs(WORKFLOW, Right.INITIATE)
def new_withdrawal(request: MemberRequest) -> HttpResponse:
    """What to send where; nothing is asked yet."""
    accounts = accounts_of(request.member, WORKFLOW, Right.INITIATE)
    account = _chosen(request, accounts)
    draft = drafts.unpack(request.GET.get("draft", ""), request.member)
    initial = {"address": draft.address_id, "amount": draft.amount, "note": draft.note} if draft else request.GET.dict()
    form = WithdrawForm(request.POST if request.method == "POST" else None, account=account, initial=initial)
    if form.is_valid():
        return redirect("treasury:review_withdrawal", drafts.pack(form.draft(), request.member))
    context = {
        "form": form,
        "account": account,
        "accounts": accounts,
        "has_addresses": Address.objects.filter(account=account, removed_at=None).exists(),
        "preview": form.preview or _initial_preview(account, initial),
        "forecast": forecast(request.member, WORKFLOW, account_id=account.pk),
    }
    return render(request, "treasury/new_withdrawal.html", context)


@require_safe
@needs(WORKFLOW, Right.INITIATE)
def preview_withdrawal(request: MemberRequest) -> HttpResponse:
    """Fee, minimum and balance for what is in the form just now; the form is looked at again when it is sent."""
    account = _chosen(request, accounts_of(request.member, WORKFLOW, Right.INITIATE))
    form = WithdrawForm({**request.GET.dict(), "note": ""}, account=account)
    form.is_valid()
    wrong = form.errors.get("amount", form.error_class()) if request.GET.get("amount") else form.error_class()
    if form.preview is None:
        wrong = form.non_field_errors()
    return render(request, "treasury/_preview.html", {"preview": form.preview, "wrong": wrong})


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
@needs(WORKFLOW, Right.INITIATE)
def review_withdrawal(request: MemberRequest, packed: str) -> HttpResponse:
    """All of it once more, and then it is asked: once, however often the button is pressed."""
    draft = drafts.unpack(packed, request.member)
    if draft is None:
        messages.warning(request, GONE)
        return redirect("treasury:new_withdrawal")
    if (first := idempotency.answer_to(draft.name, member=request.member)) is not None:
        return _again(request, first)
    account = next(
        (found for found in accounts_of(request.member, WORKFLOW, Right.INITIATE) if found.pk == draft.account_id), None
    )
    address = Address.objects.filter(pk=draft.address_id, account=account, removed_at=None).first()
    if account is None or address is None:
        messages.error(request, "That address is not in the book any more.\nChoose another one.")
        return redirect("treasury:new_withdrawal")
    expired_holds.release_due(account.pk)
    address.account = account
    try:
        found = preview(address, parse_plain(draft.amount))
        if found.trouble is not None:
            raise found.trouble
    except DomainError as error:
        messages.error(request, error.message)
        return redirect(f"{_form_url()}?draft={packed}")
    if found.method.fee > Decimal(draft.fee):
        messages.error(
            request,
            f"The network fee has risen from {draft.fee} to {plain(found.method.fee)} {found.code}.\n"
            "Look at it again before you ask.",
        )
        return redirect(f"{_form_url()}?draft={packed}")
    return _review(request, draft, packed, found)


def _as_asked(request: MemberRequest, params: Withdraw) -> Foreseen:
    """What rules are told of it before it is asked."""
    return Foreseen(
        account_id=params.account_id,
        asset=params.asset,
        amount=params.amount,
        destination=identity(params.network, params.address, params.memo),
        initiator=initiator_id(MEMBER, request.member.pk),
    )


def _review(request: MemberRequest, draft: Draft, packed: str, found: Preview) -> HttpResponse:
    params, account = found.params(Decimal(draft.fee)), found.address.account
    facts = gather(request.organization)
    # What it takes hangs on what it is worth.
    venue(account.venue).refresh_price(account.pk, params.asset, request.organization.currency)
    situation = foreseen(request.organization, _as_asked(request, params), facts)
    told = forecast(request.member, WORKFLOW, facts=facts, account_id=account.pk, situation=situation)
    form = ReviewForm(
        request.POST if request.method == "POST" else None,
        step_up=request.step_up,
        draft=draft,
        digest=idempotency.digest_of(params),
        at_once=told.at_once,
    )
    if form.is_valid():
        try:
            change = request_withdrawal(
                actor=request.member,
                account=account,
                key=params.key,
                asset=params.asset,
                amount=params.amount,
                address=params.address,
                ceiling=params.fee,
                note=draft.note,
                form=SentForm(draft.name, form.cleaned_data["digest"], form.proof),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            return onward(
                request, change, done=lambda sent: reverse("treasury:withdrawal", args=[sent.withdrawal.reference])
            )
    elif form.is_bound and (first := idempotency.answer_to(draft.name, member=request.member)) is not None:
        # A second click: its code is spent, by the first one, which went through meanwhile.
        return _again(request, first)
    context = {
        "form": form,
        "draft": draft,
        "packed": packed,
        "preview": found,
        "account": account,
        "amount": amount_with_fee(params.amount, params.fee, found.method.asset, is_most=True),
        "receiver": destination_html.receiver(mirrors.destination_of(found.address)),
        "figures": _figures(found),
        "notices": _notices(request, found),
        "forecast": told,
    }
    return render(request, "treasury/review_withdrawal.html", context)


def _chosen(request: MemberRequest, accounts: list[Account]) -> Account:
    """The Account named in the address of the page, or that of the address named there, or the first."""
    wanted = request.GET.get("account", "")
    if not wanted:
        draft = drafts.unpack(request.GET.get("draft", ""), request.member)
        address = request.GET.get("address", "")
        place = Address.objects.filter(account__in=accounts, pk=int(address[:18]) if address.isdecimal() else 0)
        wanted = str(draft.account_id if draft else place.values_list("account_id", flat=True).first() or "")
    found = next((account for account in accounts if wanted in ("", str(account.pk))), None)
    if found is None:
        raise Http404("There is no such Account, or you may not ask for withdrawals from it.")
    return found


def _initial_preview(account: Account, initial: dict[str, Any]) -> Preview | None:
    pk = str(initial.get("address", ""))
    address = Address.objects.filter(account=account, removed_at=None, pk=int(pk[:18]) if pk.isdecimal() else 0).first()
    if address is None:
        return None
    address.account = account
    try:
        return preview(address, None)
    except DomainError:
        # It is said when the form is sent: what is free and what would be taken cannot be known now.
        return None


def _figures(found: Preview) -> tuple[Figure, ...]:
    decimals = found.method.asset.decimals

    def full(amount: Any) -> str:  # noqa: ANN401 - a Decimal that may be missing before there is an amount
        return markup.grouped(wire(to_units(amount, decimals), decimals))

    return (Figure("Free to use", full(found.free), full(found.left), final=True),)


def _notices(request: MemberRequest, found: Preview) -> tuple[Notice, ...]:
    """What approvers will be told as well."""
    address = found.address
    units = to_units(found.amount or Decimal(0), found.method.asset.decimals)
    organization_id, where = address.organization_id, (address.address, address.memo)
    return warnings.told(
        organization_id,
        warnings.first_use(address, *where),
        LookAlike(organization_id, address.network, address.address),
        AskedAlike(organization_id, address.asset, units, *where, timezone.now(), "You", member_id=request.member.pk),
    )


def _again(request: MemberRequest, change: ChangeRequest) -> HttpResponse:
    messages.success(request, f"This was asked already, as request {change.number}.\nIt was not asked again.")
    return redirect("treasury:withdrawal", change.withdrawal.reference)


def _form_url() -> str:
    return reverse("treasury:new_withdrawal")
