"""A socket that is open with the power of a key, as the process that holds it last said."""

from typing import ClassVar, Final

from django.db import models

from accounts.models.api_key import ApiKey
from accounts.models.member import Member
from accounts.models.service_user import ServiceUser

SHOWN: Final = 8


class StreamSocket(models.Model):
    """One socket of one key. `process` and `number` name it; a row that is not seen any more belongs to nobody.

    `subscribed` lists what flows to it, in words. A Member who wants it closed leaves `close_asked_by`: the process
    that holds it looks there, closes it, and takes the row away.
    """

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="stream_sockets")
    service_user = models.ForeignKey(ServiceUser, on_delete=models.CASCADE, related_name="stream_sockets")
    process = models.CharField(max_length=60)
    number = models.PositiveBigIntegerField()
    source = models.CharField(max_length=45, blank=True)
    opened_at = models.DateTimeField()
    last_message_at = models.DateTimeField(null=True, blank=True)
    subscribed = models.JSONField(default=list)
    seen_at = models.DateTimeField(db_index=True)
    close_asked_by = models.ForeignKey(Member, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    close_asked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["process", "number"], name="stream_socket_once"),
            models.CheckConstraint(
                condition=models.Q(close_asked_at=None, close_asked_by=None)
                | models.Q(close_asked_at__isnull=False, close_asked_by__isnull=False),
                name="stream_socket_close_asked_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.process}/{self.number} of {self.api_key}"

    @property
    def is_closing(self) -> bool:
        """Whether somebody has asked that it is closed."""
        return self.close_asked_at is not None

    @property
    def shown(self) -> list[str]:
        """The first of what flows to it: a page is no place for hundreds."""
        return [str(flow) for flow in self.subscribed[:SHOWN]]

    @property
    def not_shown(self) -> int:
        """How many flows come after those."""
        return max(len(self.subscribed) - SHOWN, 0)
