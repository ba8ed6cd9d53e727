"""A key's secret, shown once; and ending a key."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from accounts import brakes
from accounts import keys as api_keys
from accounts.forms.service_users import ConfirmForm
from accounts.models import ApiKey, ServiceUser
from accounts.views.service_user import bot_of, page_of
from policies.access import needs
from policies.workflows import Right, Workflow
from portal.core.errors import DomainError
from portal.core.http import MemberRequest

GROUP = 6


@sensitive_variables("revealed", "context")
@require_POST
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def reveal(request: MemberRequest, name: str, public: str) -> HttpResponse:
    """The answer to this POST is the one page that ever shows the secret (security SE-2, SE-3)."""
    bot = bot_of(request, name)
    key = _key_of(bot, public)
    form = ConfirmForm(request.POST, request=request, auto_id="id_reveal_%s")
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
    }
    response = render(request, "accounts/reveal.html", context)
    response["Cache-Control"] = "no-store"
    response["Pragma"] = "no-cache"
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_POST
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def revoke(request: MemberRequest, name: str, public: str) -> HttpResponse:
    """Pull the brake on one key."""
    bot = bot_of(request, name)
    key = _key_of(bot, public)
    try:
        brakes.revoke_key(actor=request.member, api_key=key)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(
            request, f"The key {key.short} is revoked.\nIt stopped working, and what it asked for is over."
        )
    return redirect("accounts:service_user", name=bot.name)


def in_groups(text: str) -> Sequence[str]:
    """A secret in pieces that an eye can follow; copied, they are one again."""
    return [text[start : start + GROUP] for start in range(0, len(text), GROUP)]


def _key_of(bot: ServiceUser, public: str) -> ApiKey:
    return get_object_or_404(ApiKey, service_user=bot, public=public)
