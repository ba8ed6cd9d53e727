"""Mail about requests: to who can decide, to who asked, and a reminder. Links to look, never buttons (security CR-16).

A move queues one task, which costs its transaction one row; who is told is worked out when the task runs, from what is
so then. Nobody is told of their own act.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django_tasks import task

from policies import readability, registry
from policies import snapshot as gathering
from policies.models import ChangeRequest, State
from policies.notifications.preferences import Tell
from policies.rules import Facts, eligible
from policies.rules.language import NOTHING
from policies.rules.need_words import need_words
from policies.workflows import Right, Workflow
from portal.audit.record import encoded
from portal.core.display.phrases import dated
from portal.jobs import mail
from portal.jobs.isolated_loop import each

if TYPE_CHECKING:
    from accounts.models import Member

OPENED: Final = "opened"
CLOSING: Final = "closing"
DELAYED: Final = "delayed"
ENDED: Final = "ended"
ALONE: Final = "alone"
# A reminder goes out when a quarter of the time is left, but no earlier than this before the end.
LAST_HOURS: Final = timedelta(hours=12)
DIGEST_SHOWN: Final = 16


def remind_at(change: ChangeRequest) -> datetime:
    """When those who can decide are reminded."""
    return change.expires_at - min((change.expires_at - change.created_at) / 4, LAST_HOURS)


def opened(change: ChangeRequest) -> None:
    """Queue the mail about a request that now waits."""
    tell.enqueue(change.reference, OPENED)


def delayed(change: ChangeRequest) -> None:
    """Queue the mail about a request that has its approvals and waits for its time: all who may stop it are told."""
    tell.enqueue(change.reference, DELAYED)


def ended(change: ChangeRequest, *, by_user: int | None) -> None:
    """Queue the mail about a final state. What ran at once was seen by the only one whom it concerns."""
    if change.required != NOTHING:
        tell.enqueue(change.reference, ENDED, by_user)


def done_alone(change: ChangeRequest) -> None:
    """Queue the mail about power that one person gave or took, or a safeguard that one took away, with nobody asked."""
    tell.enqueue(change.reference, ALONE)


def remind_due() -> int:
    """Queue the reminders that are due, once for each request, and say how many those were."""
    now = timezone.now()
    due = ChangeRequest.objects.waiting().filter(remind_at__lte=now)

    def remind(row: tuple[int, str]) -> int:
        pk, reference = row
        # Whoever moves the mark sends the reminder: both or neither.
        with transaction.atomic():
            is_mine = ChangeRequest.objects.filter(pk=pk, remind_at__lte=now).update(remind_at=None)
            if is_mine:
                tell.enqueue(reference, CLOSING)
        return is_mine

    return each(list(due.values_list("pk", "reference").order_by("pk")), remind, what="remind of a request")


@task()
def tell(reference: str, what: str, by_user: int | None = None) -> None:
    """Write to everybody whom this concerns. What has moved on meanwhile is not announced as waiting any more."""
    change = ChangeRequest.objects.with_parties().filter(reference=reference).first()
    if change is None:
        return
    facts = gathering.gather(change.organization, [change])
    if what == ENDED:
        _write("request_ended", change, _concerned(change, facts, by_user), facts.groups)
    elif what == DELAYED:
        if change.is_delayed:
            _write("request_delayed", change, _stopping(change, facts), facts.groups)
    elif what == ALONE:
        _write("request_done_alone", change, _watching(change, facts), facts.groups)
    elif change.shown_state == State.PENDING:
        template = "request_waiting" if what == OPENED else "request_closing"
        _write(template, change, _deciders(change, facts), facts.groups)


def _deciders(change: ChangeRequest, facts: Facts) -> "list[Member]":
    """Who can still decide, and wants to be told."""
    asked = gathering.asked(change, facts)
    said = set(change.decisions.values_list("person_id", flat=True))
    can = [person.member_id for person in eligible(asked, facts) if person.user_id not in said]
    return [member for member in _members(change, can) if member.user.tell != Tell.MINE]


def _concerned(change: ChangeRequest, facts: Facts, by_user: int | None) -> "list[Member]":
    """The side that asked, and others who want to know how it ended; not whoever ended it."""
    askers = {change.member_id} if change.member_id else _custodians(change)
    workflow = Workflow(change.workflow)
    others = {
        person.member_id
        for person in facts.people
        if person.is_active and person.holds(workflow, Right.APPROVE, change.account_id)
    }
    found = [
        member for member in _members(change, askers | others) if member.pk in askers or member.user.tell == Tell.ALL
    ]
    return [member for member in found if member.user_id != by_user]


def _stopping(change: ChangeRequest, facts: Facts) -> "list[Member]":
    """The side that asked and everybody who may approve, whether or not they have: notice is what a delay is for."""
    workflow = Workflow(change.workflow)
    able = {person.member_id for person in facts.people if person.holds(workflow, Right.APPROVE, change.account_id)}
    return _members(change, able | ({change.member_id} if change.member_id else _custodians(change)))


def _watching(change: ChangeRequest, facts: Facts) -> "list[Member]":
    """Whoever may look at the workflow, or at the one that is governed, but for who did it; unless they opted out."""
    workflows = {Workflow(change.workflow)} | {one for one in Workflow if one.value == change.subject}
    if gathering.asked(change, facts).gives_withdraw:
        workflows.add(Workflow.INITIATE_WITHDRAWAL)
    able = [
        person.member_id
        for person in facts.people
        if person.is_active and any(person.holds(workflow, Right.VIEW) for workflow in workflows)
    ]
    by = change.member.user_id if change.member else None
    return [one for one in _members(change, able) if one.user_id != by and one.user.tell != Tell.MINE]


def _custodians(change: ChangeRequest) -> set[int]:
    """A bot reads no mail: those who hold its key are told."""
    return set(change.api_key.custodians.values_list("member_id", flat=True)) if change.api_key else set()


def _members(change: ChangeRequest, pks: Iterable[int | None]) -> "list[Member]":
    rows = change.organization.members.active().filter(pk__in=list(pks)).select_related("user").order_by("pk")
    return list(rows)


def _write(template: str, change: ChangeRequest, readers: "Sequence[Member]", groups: Mapping[int, str]) -> None:
    def write(reader: "Member") -> int:
        zone = ZoneInfo(reader.user.time_zone)
        with transaction.atomic(), translation.override(reader.user.language), timezone.override(zone):
            mail.send(template, to=[reader.user.email], context=_words(change, reader, groups))
        return 1

    # What one reader's row holds must not keep the mail from the others.
    each(readers, write, what=f"write to one reader about request {change.number}")


def _words(change: ChangeRequest, reader: "Member", groups: Mapping[int, str]) -> dict[str, object]:
    return {
        "name": reader.user.name,
        "organization": encoded(change.organization.name),
        "title": encoded(change.heading),
        "number": change.number,
        "asked_by": "You" if change.member_id == reader.pk else encoded(change.asked_by),
        "is_bot": change.service_user_id is not None,
        "note": encoded(change.note),
        "state": change.shown_state.label.lower(),
        "reason": encoded(change.reason),
        "ended_by": encoded(change.ended_by),
        "is_done": change.state == State.EXECUTED,
        "can_ask_again": change.member_id == reader.pk,
        "needs": encoded(need_words(change.required, groups)),
        "ready": _dated(change.ready_at) if change.ready_at else "",
        "digest": change.digest[:DIGEST_SHOWN],
        "beware": _beware(change),
        **_left_to_do(change, reader),
        "closes": _dated(change.expires_at),
        "link": _page_of(change),
        "profile": f"{settings.BASE_URL}{reverse('accounts:profile')}",
    }


def _dated(at: datetime) -> str:
    return f"{dated(timezone.localtime(at))} ({timezone.get_current_timezone_name()})"


def _page_of(change: ChangeRequest) -> str:
    """Its address, with its Organization: the reader may be signed in at another one."""
    path = reverse("policies:request", args=[change.reference])
    return f"{settings.BASE_URL}{path}?of={change.organization_id}"


def _beware(change: ChangeRequest) -> list[str]:
    """What its page warns of now: an address removed since, a name that stands for another one."""
    if not change.is_open or readability.trouble(change):
        return []
    notices = registry.get(change.operation).describe(change).notices
    return [encoded(notice.title) for notice in notices if notice.level in ("stop", "wait")]


def _left_to_do(change: ChangeRequest, reader: "Member") -> dict[str, object]:
    """What only who asked can do once it is carried out, such as revealing a secret before it dies (K2)."""
    if change.state != State.EXECUTED or change.member_id != reader.pk or readability.trouble(change):
        return {}
    onward = registry.get(change.operation).describe(change).onward
    if onward is None:
        return {}
    return {
        "onward": encoded(onward.text),
        "onward_link": f"{settings.BASE_URL}{onward.href}?of={change.organization_id}",
    }
