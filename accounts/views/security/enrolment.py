"""Enrolling second factors: passkey, authenticator app, and the recovery codes after them."""

import io
from typing import Any

import segno
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.authentication import session_data
from accounts.factors import totp, webauthn
from accounts.forms.security.factors import NAME_LENGTH, ConfirmForm, KnownPasskeyForm, NewAppForm, NewPasskeyForm
from accounts.models import Member
from accounts.models.session import browser_of
from accounts.security import enrolment, factor_changes
from accounts.security.enrolment import Candidate, Enrolled
from accounts.views import session_changes
from accounts.views.next_page import path_here
from policies.access import open_to_members
from portal.core.errors import DomainError, Invalid, Refused
from portal.core.factors import PASSKEY, RECOVERY_CODE, TOTP
from portal.core.web.http import MemberRequest

GROUP = 4
# What the form for a passkey that is held already sends, and asks its challenge for.
KNOWN = "known"


@login_not_required
@never_cache
@require_safe
def enrol(request: HttpRequest) -> HttpResponse:
    """What can be enrolled, a passkey first (security F-12)."""
    who = enrolment.candidate(request.session, _member(request))
    if who is None:
        return _turn_away(request)
    return _choices(request, who, NewPasskeyForm(initial={"name": _here(request)}))


@login_not_required
@never_cache
@require_POST
def passkey_options(request: HttpRequest) -> HttpResponse:
    """What the browser needs to make a passkey, or to show one that they hold: asked for by a script, once for each."""
    who = enrolment.candidate(request.session, _member(request))
    if who is None or PASSKEY not in who.kinds:
        return JsonResponse({"detail": enrolment.OVER}, status=403)
    try:
        if request.POST.get("change") == KNOWN:
            return JsonResponse(webauthn.challenge(request.session, webauthn.Purpose.COUNT, user=who.user))
        return JsonResponse(webauthn.offer_registration(request.session, who.user, who.places))
    except Invalid as error:
        return JsonResponse({"detail": error.message}, status=400)


@login_not_required
@never_cache
@require_POST
def passkey(request: HttpRequest) -> HttpResponse:
    """Let the passkey count that was just made."""
    who = enrolment.candidate(request.session, _member(request))
    if who is None:
        return _turn_away(request)
    form = KnownPasskeyForm(request.POST) if KNOWN in request.POST else NewPasskeyForm(request.POST)
    if form.is_valid() and PASSKEY in who.kinds:
        try:
            answer, name = form.cleaned_data["answer"], form.cleaned_data.get("name", "")
            enrolled = enrolment.enrol_passkey(request.session, who, answer, name=name)
            return _go_on(request, enrolled, name, who)
        except DomainError as error:
            form.refuse(error)
    return _choices(request, who, form)


@sensitive_variables("offered", "context")
@sensitive_post_parameters("code")
@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def app(request: HttpRequest) -> HttpResponse:
    """A new seed as a QR code; it counts after one code of it has passed (security F-4)."""
    who = enrolment.candidate(request.session, _member(request))
    if who is None:
        return _turn_away(request)
    if TOTP not in who.kinds:
        return redirect("accounts:enrol")
    form = NewAppForm(request.POST if request.method == "POST" else None)
    try:
        if form.is_valid():
            name = form.cleaned_data["name"]
            enrolled = enrolment.enrol_app(request.session, who, form.cleaned_data["code"], name=name)
            return _go_on(request, enrolled, name, who)
    except Invalid as error:
        form.refuse(error)
    except Refused as error:
        messages.error(request, error.message)
        form = NewAppForm()
    try:
        waits = enrolment.offered_app(request.session, who) if form.is_bound else None
        offered = waits or enrolment.offer_app(request.session, who)
    except Refused as error:
        messages.error(request, error.message)
        return redirect("accounts:security")
    context = {"who": who, "form": form, "qr": qr(offered), "key": in_fours(offered.secret), "uri": offered.uri}
    return _unkept(render(request, "accounts/enrol_app.html", context))


@sensitive_variables("codes")
@never_cache
@require_http_methods(["GET", "POST"])
@open_to_members("everybody makes their own recovery codes")
def recovery_codes(request: MemberRequest) -> HttpResponse:
    """Ten new recovery codes: the answer to this POST is the one page that ever shows them (security F-7)."""
    form = ConfirmForm(request.POST if request.method == "POST" else None, step_up=request.step_up)
    own = factor_changes.mine(request.member)
    context: dict[str, Any] = {"form": form, "own": own, "then": _then(request)}
    if not form.is_valid():
        return render(request, "accounts/recovery_codes.html", context)
    if not factor_changes.has_shown_enough(request.session, request.member):
        return _show_first(request, reverse("accounts:recovery_codes"))
    codes = factor_changes.new_codes(request.member, request.session)
    return _unkept(render(request, "accounts/new_recovery_codes.html", {**context, "codes": codes}))


@sensitive_variables()
def qr(offered: totp.Offer) -> SafeString:
    """The seed as an inline SVG of presentation attributes alone: the policy of the pages forbids styles."""
    out = io.BytesIO()
    segno.make(offered.uri, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=False, nl=False, border=4, omitsize=True, svgclass="qr",
        lineclass=None, dark="#000", light="#fff",
    )  # fmt: skip
    # Made by the library from a seed and an address, which it has turned into modules: nothing of it is text.
    return mark_safe(out.getvalue().decode())  # noqa: S308


def in_fours(secret: str) -> list[str]:
    """A seed in pieces that can be typed by hand."""
    return [secret[start : start + GROUP] for start in range(0, len(secret), GROUP)]


def _choices(request: HttpRequest, who: Candidate, form: NewPasskeyForm | KnownPasskeyForm) -> HttpResponse:
    offered = KnownPasskeyForm(auto_id="id_known_%s") if factor_changes.has_passkey_elsewhere(who.member) else None
    context = {
        "who": who,
        "form": form if isinstance(form, NewPasskeyForm) else NewPasskeyForm(initial={"name": _here(request)}),
        "known_form": form if isinstance(form, KnownPasskeyForm) else offered,
        "takes_app": TOTP in who.kinds,
        "takes_passkey": PASSKEY in who.kinds,
        "own": factor_changes.mine(who.member),
        "repairs": enrolment.is_repairing(request.session),
        "recovery": RECOVERY_CODE,
        "confined": not who.is_new and enrolment.is_confined(request.session, who.member),
    }
    return render(request, "accounts/enrol.html", context)


def _here(request: HttpRequest) -> str:
    """A name for a passkey of this device, to be kept or written over."""
    return browser_of(request.headers.get("User-Agent", ""))[:NAME_LENGTH]


def _turn_away(request: HttpRequest) -> HttpResponse:
    """Signed in, a factor has to be shown first; a stranger needs the link that was mailed to them."""
    if request.user.is_authenticated:
        return _show_first(request, reverse("accounts:enrol"))
    messages.error(request, enrolment.OVER)
    return redirect("accounts:sign_in")


def _show_first(request: HttpRequest, onward: str) -> HttpResponse:
    """To showing a factor; if one was shown just now, it was not the one that is asked for."""
    if session_data.recent_proof(request.session) is not None:
        messages.warning(request, enrolment.PASSKEY_FIRST)
    return redirect(f"{reverse('accounts:prove')}?{urlencode({'next': onward})}")


def _go_on(request: HttpRequest, enrolled: Enrolled, name: str, who: Candidate) -> HttpResponse:
    session_changes.go_on(request, enrolled)
    if not name:
        messages.success(request, "Your passkey counts here now.\nYou are signed in.")
    elif who.is_new:
        messages.success(request, f"“{name}” is a second factor of yours now.\nYou are signed in.")
    else:
        messages.success(request, f"“{name}” is a second factor of yours now.\nYour other sessions were ended.")
    return redirect(enrolled.route)


def _member(request: HttpRequest) -> Member | None:
    return getattr(request, "member", None)


def _then(request: MemberRequest) -> str:
    return path_here(request, request.session.get(enrolment.THEN, "")) or reverse("policies:inbox")


def _unkept(response: HttpResponse) -> HttpResponse:
    """An answer that holds a secret: no cache keeps it, no referrer tells of it (security SE-3)."""
    response["Cache-Control"] = "no-store"
    response["Pragma"] = "no-cache"
    response["Referrer-Policy"] = "no-referrer"
    return response
