"""Stopping at once: a page that says what it will do, asks why and for a second factor, and then it is done."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.api_keys import lifecycle
from accounts.api_keys import revoke as revoking
from accounts.emergency_stop import end_sessions as ending
from accounts.emergency_stop import preview, stop
from accounts.emergency_stop.preview import Consequences
from accounts.forms.emergency_stop import EndSessionsForm, StopForm
from accounts.models import ApiKey
from accounts.views.named_member import member_of
from accounts.views.service_users.service_user import bot_of
from policies.access import needs
from policies.changes import propose
from policies.models import ChangeRequest
from policies.views.asking import answer_to
from policies.workflows import Right, Workflow
from portal.core.errors import DomainError
from portal.core.web.http import MemberRequest


@dataclass(frozen=True, slots=True)
class Page:
    """What the page of one stop says. `of` and `back` name and address what it is about; `done` is said after it."""

    title: str
    lead: str
    button: str
    of: str
    back: str
    done: str
    will: Consequences
    bar: str = ""


@require_http_methods(["GET", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def suspend_member(request: MemberRequest, number: int) -> HttpResponse:
    """Stop a person for 72 hours."""
    found = member_of(request, number)
    page = Page(
        title=f"Suspend {found.label}",
        lead="They cannot sign in here until it ends. It takes effect at once; nobody has to agree.",
        button="Suspend",
        of=found.label,
        back=reverse("accounts:member", args=[found.pk]),
        done=f"{found.label} is suspended.\nThey and everybody who approves on Manage Access were told. It lasts 72 "
        "hours, unless it is lifted before.",
        will=preview.of_suspending(found),
        bar="They are suspended already." if found.is_suspended else stop.bar_to_suspend(found, request.member),
    )
    form = StopForm(request.POST or None, step_up=request.step_up)
    return pull(
        request,
        page,
        form,
        lambda: stop.suspend_member(actor=request.member, member=found, reason=form.cleaned_data["reason"]),
    )


@require_http_methods(["GET", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def end_sessions(request: MemberRequest, number: int) -> HttpResponse:
    """Sign somebody out everywhere; they may sign in again."""
    found = member_of(request, number)
    page = Page(
        title=f"End the sessions of {found.label}",
        lead="For a device that is left open, or a session that is not theirs. To keep them out, suspend them.",
        button="End all sessions",
        of=found.label,
        back=reverse("accounts:member", args=[found.pk]),
        done=f"{found.label} is signed out everywhere.\nThey can sign in again, and were told.",
        will=preview.of_ending_sessions(found),
        bar=ending.bar_to_end(found, request.member),
    )
    form = EndSessionsForm(request.POST or None, step_up=request.step_up)
    return pull(
        request,
        page,
        form,
        lambda: ending.end_of(found, by=request.member, reason=form.cleaned_data["reason"], shown_at=form.shown_at),
    )


@require_http_methods(["GET", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def suspend_bot(request: MemberRequest, name: str) -> HttpResponse:
    """Stop a Service User with all its keys."""
    bot = bot_of(request, name)
    page = Page(
        title=f"Suspend {bot.name}",
        lead="All its keys stop until that is lifted. It takes effect at once; nobody has to agree.",
        button="Suspend",
        of=bot.name,
        back=reverse("accounts:service_user", args=[bot.name]),
        done=f"{bot.name} is suspended.\nIts keys stopped working, and what it asked for is over.",
        will=preview.of_suspending_bot(bot),
        bar=f"{bot.name} is suspended already." if bot.suspended_at else "",
    )
    form = StopForm(request.POST or None, step_up=request.step_up)
    return pull(
        request,
        page,
        form,
        lambda: stop.suspend_service_user(actor=request.member, service_user=bot, reason=form.cleaned_data["reason"]),
    )


@require_http_methods(["GET", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def pause(request: MemberRequest, name: str, public: str) -> HttpResponse:
    """Stop one key until that is lifted."""
    key = _key_of(request, name, public)
    page = Page(
        title=f"Pause the key {key.short}",
        lead="It does nothing until that is lifted, and works then with the secret it has.",
        button="Pause key",
        of=key.service_user.name,
        back=reverse("accounts:service_user", args=[key.service_user.name]),
        done=f"The key {key.short} is paused.\nIt stopped working, and what it asked for is over.",
        will=preview.of_pausing(key),
        bar="It is paused already." if key.paused_at else "It has stopped already." if key.is_over else "",
    )
    form = StopForm(request.POST or None, step_up=request.step_up)
    return pull(
        request,
        page,
        form,
        lambda: stop.pause_key(actor=request.member, api_key=key, reason=form.cleaned_data["reason"]),
    )


@require_http_methods(["GET", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def revoke(request: MemberRequest, name: str, public: str) -> HttpResponse:
    """End one key for good: at once by its custodians, by a request for anybody else."""
    key = _key_of(request, name, public)
    at_once = lifecycle.is_custodian(key, request.member)
    page = Page(
        title=f"Revoke the key {key.short}",
        lead="For good. You are a custodian of it, so it takes effect at once."
        if at_once
        else "For good. You are no custodian of it, so this is a request, which Manage Access decides. To stop the key "
        "at once, pause it.",
        button="Revoke key" if at_once else "Ask to revoke key",
        of=key.service_user.name,
        back=reverse("accounts:service_user", args=[key.service_user.name]),
        done=f"The key {key.short} is revoked.\nIt stopped working, and what it asked for is over.",
        will=preview.of_revoking(key, at_once=at_once),
        bar="It has stopped already." if key.is_over else "",
    )
    form = StopForm(request.POST or None, step_up=request.step_up)
    if at_once:
        return pull(
            request,
            page,
            form,
            lambda: stop.revoke_key(actor=request.member, api_key=key, reason=form.cleaned_data["reason"]),
        )
    return ask(
        request,
        page,
        form,
        lambda: propose(
            revoking.revoke_key,
            actor=request.member,
            params=revoking.params_of(key),
            note=form.cleaned_data["reason"],
        ),
    )


@require_http_methods(["GET", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def end_overlap(request: MemberRequest, name: str, public: str) -> HttpResponse:
    """Let a key that is rotating out stop now."""
    key = _key_of(request, name, public)
    page = Page(
        title=f"Stop the key {key.short} now",
        lead="A new key replaces it. See that the bot calls with the new one first.",
        button="Stop it now",
        of=key.service_user.name,
        back=reverse("accounts:service_user", args=[key.service_user.name]),
        done=f"The key {key.short} has stopped.\nWhat it asked for stays open.",
        will=preview.of_ending_overlap(key),
        bar="It has stopped already." if key.is_over else "",
    )
    form = StopForm(request.POST or None, step_up=request.step_up)
    return pull(
        request,
        page,
        form,
        lambda: stop.end_overlap(actor=request.member, api_key=key, reason=form.cleaned_data["reason"]),
    )


def pull(request: MemberRequest, page: Page, form: StopForm, act: Callable[[], object]) -> HttpResponse:
    """Do it once the form is right; what is wrong is said on the page."""
    if form.is_valid():
        try:
            act()
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, page.done)
            return redirect(page.back)
    return _shown(request, page, form)


def ask(request: MemberRequest, page: Page, form: StopForm, act: Callable[[], ChangeRequest]) -> HttpResponse:
    """The same page where others have to agree: it leads to the request that waits, or is done already."""
    return answer_to(request, form, act, done=page.back) or _shown(request, page, form)


def _shown(request: MemberRequest, page: Page, form: StopForm) -> HttpResponse:
    return render(request, "accounts/stop.html", {"stop": page, "form": form})


def _key_of(request: MemberRequest, name: str, public: str) -> ApiKey:
    bot = bot_of(request, name)
    held = ApiKey.objects.select_related("service_user__organization", "made_by")
    return get_object_or_404(held, service_user=bot, public=public)
