"""The last refused calls of one key, decoded for the author of the bot."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.api_keys.refused_calls import Told, explain
from accounts.models import ApiKey, RefusedCall, ServiceUser
from accounts.views.service_users.service_user import bot_of, state_of
from policies.access import needs
from policies.workflows import Right, Workflow
from portal.core.web.http import MemberRequest

MOST_KEYS: Final = 100_000


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One refused call, and what it means."""

    call: RefusedCall
    told: Told


@require_safe
@needs(Workflow.MANAGE_ACCESS, Right.VIEW)
def refused_calls(request: MemberRequest, name: str, number: int) -> HttpResponse:
    """The hundred newest of the bot's key of that number, counted from its first."""
    bot = bot_of(request, name)
    key = _numbered(bot, number)
    calls = RefusedCall.objects.filter(api_key=key).order_by("-pk")
    state, level = state_of(bot, key)
    context = {"bot": bot, "key": key, "rows": rows_of(calls), "state": state, "level": level}
    return render(request, "accounts/refused_calls.html", context)


def rows_of(calls: Iterable[RefusedCall]) -> list[RefusedRow]:
    """Each call with what to do about it."""
    return [RefusedRow(call, explain(call)) for call in calls]


def _numbered(bot: ServiceUser, number: int) -> ApiKey:
    """Keys are never removed, so their places stay. The public half stays out of addresses that others may read."""
    keys = ApiKey.objects.filter(service_user=bot).order_by("pk")
    # A place that no bot will ever reach is not asked of the database, which counts to 2^63 only.
    key = keys[number - 1 : number].first() if 0 < number <= MOST_KEYS else None
    if key is None:
        raise Http404
    return key
