"""A Replay: every withdrawal of the last days, held against rules that are only meant so far."""

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Final, Self

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from accounts.models import Member

KEPT: Final = timedelta(days=7)
# Who has said nothing for so long is gone, and another worker begins again.
LOST_AFTER: Final = timedelta(minutes=5)
MOST_ATTEMPTS: Final = 3
TROUBLE_LENGTH: Final = 300


class ReplayState(models.TextChoices):
    """The last three are final."""

    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


ACTIVE: Final = (ReplayState.WAITING, ReplayState.RUNNING)


class ReplayQuerySet(models.QuerySet["Replay"]):
    def of(self, author: "Member") -> Self:
        """Those that a Member started: nobody else reads them."""
        return self.filter(organization_id=author.organization_id, author=author)

    def active(self) -> Self:
        """Those that are not over."""
        return self.filter(state__in=ACTIVE)

    def takeable(self, lost_before: object) -> Self:
        """Those that a worker can begin: nobody has, or whoever did has said nothing since `lost_before`."""
        return self.filter(Q(state=ReplayState.WAITING) | Q(state=ReplayState.RUNNING, moved_at__lt=lost_before))


class Replay(models.Model):
    """What a Member wanted to know of `rules`, and against what: the rules `in_force` then, None without a policy.

    Looked at is what was asked from `since` on; `passed` of about `expected` requests were. `result` counts what would
    have been otherwise, `found` has the requests. `attempts` are how often a worker began.
    """

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="replays")
    author = models.ForeignKey("accounts.Member", on_delete=models.PROTECT, related_name="replays")
    reference = models.CharField(max_length=16, unique=True)
    rules = models.JSONField()
    in_force = models.JSONField(null=True)
    since = models.DateTimeField()
    state = models.CharField(max_length=10, choices=ReplayState.choices, default=ReplayState.WAITING)
    passed = models.PositiveIntegerField(default=0)
    expected = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    result = models.JSONField(null=True)
    found = models.JSONField(null=True)
    trouble = models.CharField(max_length=TROUBLE_LENGTH, blank=True)
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    moved_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar = ReplayQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["author"], condition=Q(state__in=["waiting", "running"]), name="replay_one_at_a_time"
            ),
            models.CheckConstraint(condition=Q(state__in=ReplayState.values), name="replay_state_known"),
            models.CheckConstraint(
                condition=Q(state="done", result__isnull=False, found__isnull=False)
                | (~Q(state="done") & Q(result__isnull=True, found__isnull=True)),
                name="replay_result_when_done",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running"], ended_at=None)
                | (~Q(state__in=["waiting", "running"]) & Q(ended_at__isnull=False)),
                name="replay_ended_when_final",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["author", "-id"], name="replay_by_author"),
            # What is to be done, looked for over and over.
            models.Index(fields=["id"], condition=Q(state__in=["waiting", "running"]), name="replay_to_do"),
            models.Index(fields=["asked_at"], name="replay_by_age"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_active(self) -> bool:
        """Whether something will still come of it."""
        return self.state in ACTIVE

    @property
    def percent(self) -> int:
        """How far it is, never quite there before it is."""
        return min(99, 100 * self.passed // max(1, self.expected))
