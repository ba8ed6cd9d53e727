"""What the history page asks."""

from collections.abc import Collection

from django.db.models import Q, QuerySet

from portal.audit.models import AuditEvent


def readable(organization_id: int, views: Collection[tuple[str, int | None]]) -> QuerySet[AuditEvent]:
    """The events of an Organization that somebody may read (security AU-7).

    `views` are the workflows they may View, each for one Account or, with None, for all. An event that names no
    Account is read only by those who may View all.
    """
    everywhere = {workflow for workflow, account_id in views if account_id is None}
    condition = Q(workflow__in=everywhere)
    for workflow, account_id in sorted((w, a) for w, a in views if a is not None and w not in everywhere):
        condition |= Q(workflow=workflow, account_id=account_id)
    return AuditEvent.objects.filter(condition, organization_id=organization_id).select_related("account")
