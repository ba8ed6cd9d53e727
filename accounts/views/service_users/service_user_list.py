"""The list of Service Users: filtered, a page at a time, and as a file."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.contrib import messages
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.api_keys.usage_report import Calls, calls_of
from accounts.models import Account, ApiKey, ServiceUser
from accounts.models.service_user import PERMISSION_GROUPS, Permission
from accounts.service_users.list_filters import EXPIRING, STATES, Chosen, chosen, filtered
from accounts.views.service_users.service_user import row_of, state_of
from policies.access import allows, needs
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.audit.record import lock_history, record
from portal.core.display.csv_export import sheet
from portal.core.paging import keyset
from portal.core.web.http import MemberRequest

MOST_ROWS: Final = 5_000
EXPORTS_AN_HOUR: Final = 20
HEADER: Final = (
    "name", "account", "purpose", "created", "permissions", "ip allow-list", "queries from", "queries until",
    "websocket", "nonce window", "key", "state", "key made", "made by", "expires", "last used", "last used from",
    "last method", "calls in 90 days", "refused in 90 days",
)  # fmt: skip


@require_safe
@needs(Workflow.MANAGE_ACCESS, Right.VIEW)
def service_users(request: MemberRequest) -> HttpResponse:
    """The bots of the Organization, by name."""
    accounts = list(Account.objects.filter(organization=request.organization).order_by("name"))
    filters = chosen(request.GET.dict(), accounts)
    page = keyset(_bots(request, filters), after=request.GET.get("after"), order=("name", "id"))
    context = {
        "rows": [row_of(bot, list(bot.keys.all())) for bot in page.rows],
        "page": page,
        "may_ask": allows(request.member, Workflow.MANAGE_ACCESS, Right.INITIATE),
        "filters": filters,
        "states": STATES.items(),
        "groups": PERMISSION_GROUPS.items(),
        "accounts": [(str(account.pk), account.name) for account in accounts],
        "expiring": EXPIRING.items(),
    }
    return render(request, "accounts/service_users.html", context)


@require_safe
@needs(Workflow.MANAGE_ACCESS, Right.VIEW)
def service_users_csv(request: MemberRequest) -> HttpResponse:
    """The same as a file, one line for each key; that it was taken along is in the history (security AU-2)."""
    accounts = list(Account.objects.filter(organization=request.organization))
    filters = chosen(request.GET.dict(), accounts)
    with transaction.atomic():
        lock_history(request.organization.pk)
        if _exported_lately(request) >= EXPORTS_AN_HOUR:
            messages.error(
                request, f"You made {EXPORTS_AN_HOUR} exports within an hour, and no more may be.\nCome back later."
            )
            return redirect("accounts:service_users")
        bots = list(_bots(request, filters).order_by("name", "pk")[:MOST_ROWS])
        record(EventKind.EXPORT_MADE, actor=request.member, workflow=Workflow.MANAGE_ACCESS, of="service users")
    calls = calls_of([key for bot in bots for key in bot.keys.all()])
    name = f"service-users-{timezone.localdate():%Y-%m-%d}"
    return sheet(name, HEADER, _lines(bots, calls))


def _bots(request: MemberRequest, filters: Chosen) -> QuerySet[ServiceUser]:
    newest_first = Prefetch("keys", queryset=ApiKey.objects.select_related("made_by__user").order_by("-pk"))
    bots = ServiceUser.objects.filter(organization=request.organization).select_related("account")
    return filtered(bots.prefetch_related(newest_first), filters)


def _exported_lately(request: MemberRequest) -> int:
    return AuditEvent.objects.filter(
        organization_id=request.organization.pk,
        workflow=Workflow.MANAGE_ACCESS,
        kind=EventKind.EXPORT_MADE,
        actor_kind=request.member.kind,
        actor_id=request.member.pk,
        at__gt=timezone.now() - timedelta(hours=1),
    ).count()


def _lines(bots: list[ServiceUser], calls: dict[int, Calls]) -> Iterator[tuple[object, ...]]:
    for bot in bots:
        about = (
            bot.name,
            bot.account.name,
            bot.purpose,
            bot.created_at,
            " ".join(permission.value for permission in Permission if bot.has(permission)),
            " ".join(bot.ip_allow_list) or "any address",
            bot.query_start,
            bot.query_end,
            "on" if bot.websocket else "off",
            bot.nonce_window,
        )
        for key in bot.keys.all():
            used = calls[key.pk]
            state = "Removed" if bot.removed_at else state_of(bot, key)[0]
            yield (
                *about, key.short, state, key.created_at, key.made_by.label, key.expires_at, key.last_used_at,
                key.last_used_ip, key.last_used_method, used.answered, used.refusals,
            )  # fmt: skip
