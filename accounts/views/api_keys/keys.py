"""A key's secret, shown once, and a new key for an old one."""

from collections.abc import Sequence

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from accounts.api_keys import lifecycle as api_keys
from accounts.api_keys.client_snippets import snippets
from accounts.forecast import forecast
from accounts.forms.service_users.risk import PROPOSED_LIFE
from accounts.forms.service_users.rotate import RotateForm
from accounts.forms.service_users.service_users import ConfirmForm
from accounts.models import ApiKey, ServiceUser
from accounts.service_users.key_settings import limits_of
from accounts.service_users.rotate import rotate_key
from accounts.views.service_users.service_user import bot_of, page_of
from policies.access import needs
from policies.changes import propose
from policies.views.asking import answer_to
from policies.workflows import Right, Workflow
from portal.core.errors import DomainError
from portal.core.web.http import MemberRequest

GROUP = 6


@sensitive_variables("revealed", "context")
@require_POST
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def reveal(request: MemberRequest, name: str, public: str) -> HttpResponse:
    """The answer to this POST is the one page that ever shows the secret (security SE-2, SE-3)."""
    bot = bot_of(request, name)
    key = _key_of(bot, public)
    form = ConfirmForm(request.POST, step_up=request.step_up, auto_id="id_reveal_%s")
    if not form.is_valid():
        return page_of(request, bot, reveal_form=form)
    try:
        revealed = api_keys.reveal(key.pk, member=request.member)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("accounts:service_user", name=bot.name)
    key.refresh_from_db()
    context = {
        "bot": bot,
        "key": key,
        "public": in_groups(revealed.public),
        "secret": in_groups(revealed.secret),
        "snippets": snippets(settings.BASE_URL),
        "retiring": api_keys.others(key).filter(retires_at__isnull=False).first(),
    }
    response = render(request, "accounts/reveal.html", context)
    response["Cache-Control"] = "no-store"
    response["Pragma"] = "no-cache"
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_http_methods(["GET", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def rotate(request: MemberRequest, name: str) -> HttpResponse:
    """Ask for a new key beside the old one."""
    bot = bot_of(request, name)
    if bot.removed_at is not None:
        raise Http404
    before = limits_of(bot)
    form = RotateForm(
        request.POST or None,
        step_up=request.step_up,
        service_user=bot,
        before=before,
        initial={"expires_at": timezone.now() + PROPOSED_LIFE},
    )
    answer = answer_to(
        request,
        form,
        lambda: propose(rotate_key, actor=request.member, params=form.params()),
        done=reverse("accounts:service_user", args=[bot.name]),
    )
    if answer:
        return answer
    notice = forecast(
        request.member,
        account_id=bot.account_id if before.may_withdraw else None,
        afterwards=f"After that you reveal the new secret here, once, and become a custodian of {bot.name}.",
        protected=before.may_withdraw,
    )
    context = {
        "form": form,
        "bot": bot,
        "notice": notice,
        "button": "Ask for approval" if notice.waits else "Make new key",
        "room": api_keys.has_room(bot),
    }
    return render(request, "accounts/rotate_key.html", context)


def in_groups(text: str) -> Sequence[str]:
    """A secret in pieces that an eye can follow; copied, they are one again."""
    return [text[start : start + GROUP] for start in range(0, len(text), GROUP)]


def _key_of(bot: ServiceUser, public: str) -> ApiKey:
    return get_object_or_404(ApiKey, service_user=bot, public=public)
