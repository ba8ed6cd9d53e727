"""The journal is kept for an hour: who follows it has looked long before."""

from datetime import timedelta
from typing import Final

from django.utils import timezone

from portal.jobs.periodic import every
from portal.venues.journal.models import JournalEntry

KEPT: Final = timedelta(hours=1)
# No statement is long, and on SQLite none keeps the others waiting.
AT_ONCE: Final = 5000


@every(60)
def prune() -> None:
    """Remove what was written more than an hour ago. Heads stay: numbers are never given twice."""
    old = JournalEntry.objects.filter(written_at__lt=timezone.now() - KEPT).order_by("written_at")
    while pks := list(old.values_list("pk", flat=True)[:AT_ONCE]):
        JournalEntry.objects.filter(pk__in=pks).delete()
