"""Service Users: one of them, a new one, changing, lifting a suspension, removing."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forecast import Told, forecast
from accounts.forms.service_users.risk import PROPOSED_LIFE, risk_of
from accounts.forms.service_users.service_users import ChangeServiceUserForm, ConfirmForm, NewServiceUserForm
from accounts.models import Account, Custodian, ServiceUser
from accounts.models.service_user import Permission
from accounts.service_users.create_and_change import change_service_user, create_service_user
from accounts.service_users.key_settings import limits_of
from accounts.service_users.params import LiftSuspension, RemoveServiceUser
from accounts.service_users.presets import STARTING_POINTS, starting_point
from accounts.service_users.reinstate_and_remove import lift_suspension, remove_service_user
from accounts.views.service_users.service_user import bot_of, page_of
from policies.access import needs
from policies.changes import propose
from policies.rules import lock_protection
from policies.views.asking import answer_to
from policies.workflows import Right, Workflow
from portal.core.web.http import MemberRequest
from portal.core.web.ticked_boxes import ticked


@require_safe
@needs(Workflow.MANAGE_ACCESS, Right.VIEW)
def service_user(request: MemberRequest, name: str) -> HttpResponse:
    """One bot: what it may do, its keys, who holds their power."""
    return page_of(request, bot_of(request, name))


@require_http_methods(["GET", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def new_service_user(request: MemberRequest) -> HttpResponse:
    """Ask for a new bot; `?from=` names a starting point, which fills the form."""
    point = starting_point(request.GET.get("from"))
    filled = {"permissions": list(point.permissions), "purpose": point.purpose} if point else {}
    form = NewServiceUserForm(
        request.POST or None,
        step_up=request.step_up,
        organization=request.organization,
        initial={"expires_at": timezone.now() + PROPOSED_LIFE, **filled},
    )
    answer = answer_to(
        request,
        form,
        lambda: propose(create_service_user, actor=request.member, params=form.params()),
        done=lambda _change: reverse("accounts:service_user", args=[form.cleaned_data["name"]]),
    )
    if answer:
        return answer
    first = Account.objects.filter(organization=request.organization).order_by("pk").first()
    posted = request.POST if request.method == "POST" else None
    permissions = ticked(posted, request.GET, "permissions", filled.get("permissions", ()))
    notice = forecast(
        request.member,
        account_id=first.pk if first else None,
        protected=Permission.WITHDRAW in permissions,
        afterwards="After that you reveal the secret here, once.",
        protected_if=lock_protection.MAKE_KEY.case,
    )
    context = {
        "form": form,
        "notice": notice,
        "button": _button(notice, "Create service user"),
        "points": STARTING_POINTS,
        "point": point,
    }
    return render(request, "accounts/new_service_user.html", context)


@require_http_methods(["GET", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def change(request: MemberRequest, name: str) -> HttpResponse:
    """Ask for other permissions or settings."""
    bot = get_object_or_404(ServiceUser, organization=request.organization, name=name, removed_at=None)
    before = limits_of(bot)
    form = ChangeServiceUserForm(
        request.POST or None,
        step_up=request.step_up,
        organization=request.organization,
        service_user=bot,
        before=before,
    )
    answer = answer_to(
        request,
        form,
        lambda: propose(change_service_user, actor=request.member, params=form.params()),
        done=reverse("accounts:service_user", args=[bot.name]),
    )
    if answer:
        return answer
    posted = request.POST if request.method == "POST" else None
    permissions = ticked(posted, request.GET, "permissions", before.permissions)
    gained = permissions - frozenset(before.permissions)
    notice = forecast(
        request.member,
        account_id=None if before.may_withdraw else bot.account_id,
        protected=bool(gained) and Permission.WITHDRAW in permissions,
        afterwards="It counts from the bot's next call on.",
        protected_if=lock_protection.WIDEN_KEY.case,
    )
    context = {
        "form": form,
        "bot": bot,
        "notice": notice,
        "button": _button(notice, "Change service user"),
        "is_custodian": Custodian.objects.filter(api_key__service_user=bot, member=request.member).exists(),
    }
    return render(request, "accounts/change_service_user.html", context)


@require_safe
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def risk(request: MemberRequest) -> HttpResponse:
    """The part of the form that says what could go wrong, as it stands while it is being filled in."""
    stands = risk_of(
        request.GET.getlist("permissions"),
        expires_at=request.GET.get("expires_at", ""),
        ip_allow_list=request.GET.get("ip_allow_list", ""),
        caps=(request.GET.get("withdrawal_cap", ""), request.GET.get("daily_cap", "")),
        currency=request.organization.currency,
    )
    return render(request, "accounts/_risk.html", {"risk": stands})


@require_POST
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE, Right.APPROVE)
def lift(request: MemberRequest, name: str) -> HttpResponse:
    """Ask for the bot to work again; who approves may ask that too."""
    bot = bot_of(request, name)
    form = ConfirmForm(request.POST, step_up=request.step_up, auto_id="id_lift_%s")
    answer = answer_to(
        request,
        form,
        lambda: propose(lift_suspension, actor=request.member, params=LiftSuspension(bot.pk)),
        done=reverse("accounts:service_user", args=[bot.name]),
    )
    return answer or page_of(request, bot, lift_form=form)


@require_POST
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def remove(request: MemberRequest, name: str) -> HttpResponse:
    """Ask for the bot to go for good."""
    bot = bot_of(request, name)
    form = ConfirmForm(request.POST, step_up=request.step_up, auto_id="id_remove_%s")
    answer = answer_to(
        request,
        form,
        lambda: propose(remove_service_user, actor=request.member, params=RemoveServiceUser(bot.pk)),
        done=reverse("accounts:service_user", args=[bot.name]),
    )
    return answer or page_of(request, bot, remove_form=form)


def _button(notice: Told, at_once: str) -> str:
    return "Ask for approval" if notice.waits else at_once
