"""The journal is kept for an hour: who follows it has looked long before."""

from datetime import timedelta
from typing import Final

from django.db import connection
from django.db.models import DateTimeField, Func
from django.utils import timezone

from portal.jobs.periodic import every
from portal.venues.journal.models import JournalEntry

KEPT: Final = timedelta(hours=1)
# No statement is long, and on SQLite none keeps the others waiting.
AT_ONCE: Final = 5000


@every(60)
def prune() -> None:
    """Remove what was written more than an hour ago. Heads stay: numbers are never given twice.

    By the clock of the database, which dated it: a node whose own is wrong removes neither too much nor too little.
    """
    # Within one statement it stands still, and so may be looked up in the index.
    is_shared = connection.vendor == "postgresql"
    now = Func(function="statement_timestamp", output_field=DateTimeField()) if is_shared else timezone.now()
    old = JournalEntry.objects.filter(written_at__lt=now - KEPT).order_by("written_at")
    while pks := list(old.values_list("pk", flat=True)[:AT_ONCE]):
        JournalEntry.objects.filter(pk__in=pks).delete()
