"""What people choose to be told about requests; the lowest layer that needs to know, so that every other can."""

from django.db.models import TextChoices


class Tell(TextChoices):
    """Which mail about requests a person gets. Mail about the safety of their own access is never a choice."""

    ALL = "all", "Everything: what waits for me, what I asked, and how requests of others ended"
    NEEDED = "needed", "What waits for me, and how what I asked ended"
    MINE = "mine", "Only how what I asked ended"
