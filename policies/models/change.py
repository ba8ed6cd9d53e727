"""A ChangeRequest: one proposed run of a governed operation; a Decision: one member's yes or no."""

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from policies.rules.language import Demand
from policies.workflows import Workflow
from portal.core.database.compiled.given import Instant
from portal.core.display.markup import grouped
from portal.core.display.phrases import counted

if TYPE_CHECKING:
    from accounts.models import Member, ServiceUser


class State(models.TextChoices):
    """DESIGN R2. Everything but the first two is final and never moves."""

    PENDING = "pending", "Pending"
    APPROVED = "approved", "Approved"
    EXECUTED = "executed", "Executed"
    FAILED = "failed", "Failed"
    REJECTED = "rejected", "Rejected"
    CANCELLED = "cancelled", "Cancelled"
    EXPIRED = "expired", "Expired"
    STALE = "stale", "Stale"


OPEN_STATES = (State.PENDING, State.APPROVED)


def _waits(now: Instant | None = None) -> Q:
    return Q(state=State.PENDING, expires_at__gt=timezone.now() if now is None else now)


class ChangeQuerySet(models.QuerySet["ChangeRequest"]):
    def of(self, organization: object) -> Self:
        """Those of one Organization."""
        return self.filter(organization=organization)

    def with_parties(self) -> Self:
        """With everything that deciding about a request reads of others, in one query."""
        return self.select_related(
            "organization", "account", "api_key", "member__user", "member__organization", "service_user__organization"
        )

    def for_change(self) -> Self:
        """Locked until the transaction ends. SQLite has no row locks: there the transaction is the lock."""
        return self.select_for_update(of=("self",), no_key=True)

    def waiting(self, now: Instant | None = None) -> Self:
        """Pending and still within its time, whether or not a job has noticed the expiry of others."""
        return self.filter(_waits(now))

    def open(self, now: Instant | None = None) -> Self:
        """Those that can still come to something."""
        # Said once more of the state alone: no index is entered by an OR.
        return self.filter(Q(state=State.APPROVED) | _waits(now), state__in=OPEN_STATES)

    def ended(self) -> Self:
        """The others."""
        return self.exclude(state=State.APPROVED).exclude(_waits())


class ChangeRequest(models.Model):
    """Everything governed, once: what would run, for whom, what it needs and how it ended (DESIGN R1, R2).

    `params` is immutable and `digest` covers it; the run uses nothing else. `number` counts within the Organization;
    `reference` names the request in addresses and, unchanged, towards the venue. `subject` tells two requests about
    the same thing from two about different ones; a withdrawal has none. `amount` and `asset` are for lists.
    `touched` holds the fields that it would write, with what they were then; a stale one keeps in `overtaken` what they
    had become. `remind_at` is empty once who can decide was reminded. One that ended can be asked again once, by a
    request that points back with `asked_again_from`. `required_besides` are the approvals of groups and the delay that
    were asked for at creation; an approved one waits until `ready_at` where it has one.
    """

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="changes")
    number = models.PositiveBigIntegerField()
    reference = models.CharField(max_length=16, unique=True)
    workflow = models.CharField(max_length=30, choices=[(w.value, w.title) for w in Workflow])
    operation = models.CharField(max_length=60)
    account = models.ForeignKey("accounts.Account", null=True, on_delete=models.PROTECT, related_name="changes")
    subject = models.CharField(max_length=100, blank=True)
    subject_member = models.ForeignKey("accounts.Member", null=True, on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=200)
    amount = models.CharField(max_length=40, blank=True)
    asset = models.CharField(max_length=16, blank=True)
    member = models.ForeignKey("accounts.Member", null=True, on_delete=models.PROTECT, related_name="changes_asked")
    service_user = models.ForeignKey(
        "accounts.ServiceUser", null=True, on_delete=models.PROTECT, related_name="changes_asked"
    )
    api_key = models.ForeignKey("accounts.ApiKey", null=True, on_delete=models.PROTECT, related_name="changes_asked")
    initiator_label = models.CharField(max_length=200)
    source = models.CharField(max_length=45, blank=True)
    note = models.CharField(max_length=500, blank=True)
    params = models.JSONField()
    touched = models.JSONField(default=list)
    overtaken = models.JSONField(default=list)
    asked_again_from = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="asked_again_as")
    digest = models.CharField(max_length=64)
    approvals_required = models.PositiveSmallIntegerField()
    required_besides = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    ready_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    remind_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=500, blank=True)

    objects: ClassVar = ChangeQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "number"], name="change_number_once_per_organization"),
            models.CheckConstraint(
                condition=Q(member__isnull=False, service_user=None, api_key=None)
                | Q(member=None, service_user__isnull=False, api_key__isnull=False),
                name="change_asked_by_member_or_key",
            ),
            models.UniqueConstraint(
                fields=["organization", "operation", "subject", "member"],
                condition=Q(state__in=["pending", "approved"], member__isnull=False) & ~Q(subject=""),
                name="change_one_open_per_subject_and_member",
            ),
            models.CheckConstraint(condition=Q(state__in=State.values), name="change_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "approved"], ended_at=None)
                | (~Q(state__in=["pending", "approved"]) & Q(ended_at__isnull=False)),
                name="change_ended_when_final",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "state", "expires_at"], name="change_open_by_expiry"),
            models.Index(fields=["organization", "-id"], name="change_by_organization"),
            models.Index(fields=["member", "state"], name="change_by_member"),
            models.Index(fields=["service_user", "state"], name="change_by_service_user"),
            # What time is about to end, in every Organization: looked for every few seconds.
            models.Index(fields=["expires_at"], condition=Q(state="pending"), name="change_pending_by_expiry"),
            models.Index(
                fields=["account", "expires_at"], condition=Q(state="pending"), name="change_pending_of_account"
            ),
            # What waits in one workflow, or of one kind, however much else does: looked for on every page.
            models.Index(
                fields=["organization", "workflow", "operation"],
                condition=Q(state="pending"),
                name="change_pending_by_workflow",
            ),
            # What waits after the last approval, looked for every few seconds.
            models.Index(
                fields=["ready_at"], condition=Q(state="approved", ready_at__isnull=False), name="change_ready"
            ),
            # What is approved and not done, in every Organization: counted whenever somebody reads measures.
            models.Index(fields=["id"], condition=Q(state="approved"), name="change_approved"),
            # Rehearsals, and what waited for approvals, last first: shown on one page, however much else there was.
            models.Index(fields=["organization", "-id"], condition=Q(subject="rehearsal"), name="change_rehearsals"),
            models.Index(
                fields=["organization", "workflow", "-ended_at"],
                condition=Q(approvals_required__gt=0, ended_at__isnull=False),
                name="change_decided",
            ),
            models.Index(fields=["remind_at"], condition=Q(remind_at__isnull=False), name="change_to_remind"),
            models.Index(fields=["api_key", "state"], name="change_by_key"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def initiator(self) -> "Member | ServiceUser":
        """Who asks: the Member, or the bot by its key."""
        actor = self.member or self.service_user
        if actor is None:
            raise ValueError("A request is asked by a member or a key: change_asked_by_member_or_key.")
        return actor

    @property
    def initiator_address(self) -> str:
        """The mail address of the Member who asked: a name is what they call themselves. Empty for a key."""
        return self.member.user.email if self.member is not None else ""

    @property
    def asked_by(self) -> str:
        """Who asked, as it is to be read: a Member with their address."""
        return f"{self.initiator_label} <{self.initiator_address}>" if self.initiator_address else self.initiator_label

    @property
    def heading(self) -> str:
        """The title with what it is about in its place: `Withdraw 1.25 BTC to btc-cold`."""
        if not self.amount:
            return self.title
        verb, _, rest = self.title.partition(" ")
        return f"{verb} {grouped(self.amount)} {self.asset} {rest}".rstrip()

    @property
    def required(self) -> Demand:
        """What was asked for when this was opened (R4)."""
        besides = self.required_besides
        groups = tuple((int(group), int(count)) for group, count in besides.get("groups", ()))
        return Demand(self.approvals_required, groups, delay_hours=int(besides.get("delay_hours", 0)))

    def require(self, asked: Demand) -> None:
        """Keep what is asked for at creation; what asks for no group and no delay is kept as it always was."""
        self.approvals_required = asked.approvals
        found: dict[str, object] = {}
        if asked.groups:
            found["groups"] = [list(each) for each in asked.groups]
        if asked.delay_hours:
            found["delay_hours"] = asked.delay_hours
        self.required_besides = found

    @property
    def receipt(self) -> str:
        """What has come of it so far, for whoever has just asked."""
        if self.state == State.EXECUTED:
            return f"{self.title}: done."
        if self.state == State.PENDING:
            approvals = counted(self.required.people, "approval")
            return f"{self.title}: asked as request {self.number}.\nIt waits for {approvals}."
        return f"{self.title}: {State(self.state).label.lower()}."

    @property
    def is_open(self) -> bool:
        """Whether it can still move; past its time it may stay open until somebody looks."""
        return self.state in OPEN_STATES

    @property
    def is_past_its_time(self) -> bool:
        """Open past its time is expired, even if nothing has written so yet (DESIGN R5)."""
        return self.state == State.PENDING and self.expires_at <= timezone.now()

    @property
    def is_delayed(self) -> bool:
        """Whether all have agreed and it waits for its time, until which it can still be stopped (DESIGN P7)."""
        return self.state == State.APPROVED and self.ready_at is not None and self.ready_at > timezone.now()

    @property
    def shown_state(self) -> State:
        """The state as people read it: expired as soon as its time is over."""
        return State.EXPIRED if self.is_past_its_time else State(self.state)


class Decision(models.Model):
    """One person's yes or no to one ChangeRequest, with the digest they saw."""

    change = models.ForeignKey(ChangeRequest, on_delete=models.PROTECT, related_name="decisions")
    member = models.ForeignKey("accounts.Member", on_delete=models.PROTECT, related_name="decisions")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approved = models.BooleanField()
    reason = models.CharField(max_length=500, blank=True)
    digest = models.CharField(max_length=64)
    factor = models.CharField(max_length=20)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["change", "person"], name="decision_one_per_person"),
        ]
        indexes: ClassVar = [models.Index(fields=["member", "at"], name="decision_by_member")]

    def __str__(self) -> str:
        return f"{self.member} {'approved' if self.approved else 'rejected'}"
