"""Whose each export at the exchange is: of the Service User that asked for it, with what it holds."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import ServiceUser
from portal.audit.kinds import EventKind
from portal.audit.record import lock_history, record
from portal.venues.kraken.bot_models import BotExport

# Longer than the exchange keeps a file.
KEPT: Final = timedelta(days=60)


def codes(account_id: int) -> Collection[str]:
    """Those of the Account that are known, whoever asked for them."""
    return set(BotExport.objects.filter(account_id=account_id).values_list("code", flat=True))


@transaction.atomic
def add(
    account_id: int,
    service_user_id: int,
    code: str,
    report: str,
    *,
    since: datetime | None,
    before: datetime | None,
    is_narrowed: bool,
) -> None:
    """Note that the Service User has asked for it, here and in the history.

    An id that the exchange gives out again is the new one's.
    """
    now, actor = timezone.now(), ServiceUser.objects.get(pk=service_user_id)
    lock_history(actor.organization_id)
    BotExport.objects.filter(account_id=account_id).filter(Q(code=code) | Q(asked_at__lt=now - KEPT)).delete()
    export = BotExport.objects.create(
        account_id=account_id,
        service_user_id=service_user_id,
        code=code,
        report=report,
        since=since,
        before=before,
        asked_at=now,
        is_narrowed=is_narrowed,
    )
    record(
        EventKind.DATA_EXPORTED,
        actor=actor,
        subject=export,
        account_id=account_id,
        report=report,
        since=since.isoformat() if since else "",
        before=(before or now).isoformat(),
    )


def visible(
    account_id: int, service_user_id: int, seen_from: datetime | None, seen_before: datetime | None
) -> QuerySet[BotExport]:
    """Those of the Service User that hold nothing its window would not show by now."""
    found = BotExport.objects.filter(account_id=account_id, service_user_id=service_user_id)
    if seen_from is not None:
        found = found.filter(since__gte=seen_from)
    return found if seen_before is None else found.filter(before__lte=seen_before)


def remove(account_id: int, code: str) -> None:
    """It is gone at the exchange."""
    BotExport.objects.filter(account_id=account_id, code=code).delete()
