"""What only time brings about on the paper exchange, when nobody asks about it meanwhile."""

from django.utils import timezone

from portal.jobs.periodic import every
from portal.venues.paper.exports import requests
from portal.venues.paper.venue import PaperVenue

AT_ONCE = 500


@every(5)
def settle() -> None:
    """Fill what prices have crossed, pay what was earned, and write exports."""
    PaperVenue().settle_due(AT_ONCE)


@every(3600)
def forget_exports() -> None:
    """Remove exports that have expired: nobody can fetch them any more."""
    requests.forget_expired(timezone.now())
