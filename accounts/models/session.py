"""Sessions as people see them: whose, since when, from where, by which factor."""

from typing import ClassVar, Final

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models

from accounts.models.member import Member
from portal.core.factors import factor_word

# The first that a browser names; the later ones are named by others too.
BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_of(agent: str) -> str:
    """A browser's own words for itself, in short: `Firefox on Linux`, or their beginning."""
    names = (next((word for mark, word in marks if mark in agent), "") for marks in (BROWSERS, SYSTEMS))
    return " on ".join(filter(None, names)) or agent[:60]


class Session(AbstractBaseSession):
    """Django's session with columns for the list of one's own sessions; `handle` stays while the key rotates.

    Ending a session is deleting its row: nothing that was not deleted can come back to life (security SI-8).
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="sessions")
    member = models.ForeignKey(Member, null=True, on_delete=models.CASCADE, related_name="sessions")
    handle = models.UUIDField(null=True, unique=True)
    started_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    source = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    factor = models.CharField(max_length=20, blank=True)

    objects: ClassVar = BaseSessionManager()

    class Meta(AbstractBaseSession.Meta):
        abstract = False
        indexes: ClassVar = [models.Index(fields=["user", "-seen_at"], name="session_by_person")]

    @property
    def browser(self) -> str:
        """What the browser called itself, in short: `Firefox on Linux`. Only good to recognize it by."""
        return browser_of(self.agent)

    @property
    def by(self) -> str:
        """The factor that opened it, in words."""
        return factor_word(self.factor)
