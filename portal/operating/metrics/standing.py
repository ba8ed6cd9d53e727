"""How the installation stands, as the database has it: a few statements, each by an index, however much there is."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from django.db import connection
from django.db.models import Count, Max, Min, Q
from django.utils import timezone

from policies.models import ChangeRequest, State
from policies.workflows import Workflow
from portal.core.observing.meters import AtScrape, Labels
from portal.jobs import mail, periodic
from portal.jobs.models import TaskTurn
from portal.venues import registry
from portal.venues import standing as of_venues

Found: TypeAlias = "dict[AtScrape, Mapping[Labels, float]]"

# Requests that are approved and not done are few; were they more, so many are enough to be told of.
MOST_APPROVED: Final = 1000
REQUEST: Final = {
    "workflow": tuple(each.value for each in Workflow),
    "state": ("waiting", "overdue", "delayed", "approved"),
}
REQUESTS: Final = AtScrape(
    "countersign_requests",
    "Open requests: `waiting` for decisions, `overdue` and not yet written as expired, agreed to and `delayed` until "
    "their time, `approved` and not done.",
    REQUEST,
)
OLDEST: Final = AtScrape(
    "countersign_request_oldest_seconds",
    "How long the oldest of them has been so: since it was asked, since its time was over, since it may be done.",
    REQUEST,
)
LATE: Final = AtScrape(
    "countersign_task_late_seconds",
    "How long a periodic task is due already; 0 before its time.",
    {"task": periodic.names},
)
AGE: Final = AtScrape(
    "countersign_task_age_seconds",
    "How long ago the last run of a periodic task that came to its end had begun.",
    {"task": periodic.names},
)
MAIL: Final = AtScrape("countersign_mail_queue", "Mails that wait to be sent, or to be tried again.")
MAIL_OLDEST: Final = AtScrape("countersign_mail_oldest_seconds", "How long ago the oldest mail that is due was queued.")
MAIL_RETRIED: Final = AtScrape("countersign_mail_retried", "Waiting mails that the mail server did not take once.")
WITHDRAWALS: Final = AtScrape(
    "countersign_exchange_withdrawals",
    "Withdrawals on their way to real exchanges, by how far they are.",
    {"step": of_venues.STEPS},
)
ALARMS: Final = AtScrape(
    "countersign_alarms_open", "Alarms that nobody has acknowledged, by kind.", {"kind": of_venues.ALARMS}
)
STATES: Final = ("active", "idle", "idle_in_transaction")
CONNECTIONS: Final = AtScrape(
    "countersign_database_connections",
    "Connections to the database (PostgreSQL), by what they are at.",
    {"state": STATES},
)
CONNECTIONS_MAX: Final = AtScrape(
    "countersign_database_connections_max", "How many connections the database server takes (PostgreSQL)."
)
LOCKED: Final = AtScrape(
    "countersign_database_waiting_for_locks", "Connections that wait for a lock at this moment (PostgreSQL)."
)
LOCKED_SECONDS: Final = AtScrape(
    "countersign_database_lock_wait_seconds", "How long the longest of them has been at its statement (PostgreSQL)."
)

ACTIVITY: Final = """
    SELECT coalesce(state, ''), count(*), count(*) FILTER (WHERE wait_event_type = 'Lock'),
        coalesce(max(extract(epoch FROM clock_timestamp() - query_start)) FILTER (WHERE wait_event_type = 'Lock'), 0),
        current_setting('max_connections')::int
    FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' GROUP BY 1, 5
"""


def look() -> Found:
    """Ask the database, with this thread's connection. Raises: DatabaseError."""
    now = timezone.now()
    found: Found = {}
    looks: tuple[Callable[[datetime], Found], ...] = (_requests, _tasks, _mail, _venues, _connections)
    for each in looks:
        found |= each(now)
    return found


def _requests(now: datetime) -> Found:
    counts: dict[Labels, float] = dict.fromkeys(REQUESTS_SHOWN, 0.0)
    oldest: dict[Labels, float] = dict.fromkeys(REQUESTS_SHOWN, 0.0)
    waits = Q(expires_at__gt=now)
    pending = ChangeRequest.objects.filter(state=State.PENDING).order_by().values_list("workflow")
    for workflow, waiting, overdue, asked_at, over_at in pending.annotate(
        waiting=Count("pk", filter=waits),
        overdue=Count("pk", filter=~waits),
        asked_at=Min("created_at", filter=waits),
        over_at=Min("expires_at", filter=~waits),
    ):
        counts[workflow, "waiting"], counts[workflow, "overdue"] = waiting, overdue
        oldest[workflow, "waiting"] = _since(asked_at, now)
        oldest[workflow, "overdue"] = _since(over_at, now)
    approved = ChangeRequest.objects.filter(state=State.APPROVED)
    rows = approved.annotate(agreed_at=Max("decisions__at")).values_list(
        "workflow", "created_at", "ready_at", "agreed_at"
    )
    for workflow, created_at, ready_at, agreed_at in rows.order_by("pk")[:MOST_APPROVED]:
        since = max(at for at in (created_at, ready_at, agreed_at) if at is not None)
        labels = workflow, "approved" if since <= now else "delayed"
        counts[labels] += 1
        oldest[labels] = max(oldest[labels], _since(agreed_at or created_at if since > now else since, now))
    return {REQUESTS: counts, OLDEST: oldest}


def _tasks(now: datetime) -> Found:
    due = dict(TaskTurn.objects.values_list("name", "due_at"))
    every = {task.name: task.seconds for task in periodic.all_tasks()}
    known = {name: due[name] for name in every.keys() & due.keys()}
    return {
        LATE: {(name,): _since(at, now) for name, at in known.items()},
        AGE: {(name,): _since(at - timedelta(seconds=every[name]), now) for name, at in known.items()},
    }


def _mail(now: datetime) -> Found:
    count, oldest, retried = mail.waiting(now)
    return {MAIL: {(): count}, MAIL_OLDEST: {(): _since(oldest, now)}, MAIL_RETRIED: {(): retried}}


def _venues(_now: datetime) -> Found:
    steps: dict[Labels, float] = {(step,): 0.0 for step in of_venues.STEPS}
    alarms: dict[Labels, float] = {(kind,): 0.0 for kind in of_venues.ALARMS}
    for each in registry.standings():
        for step, count in each.withdrawals.items():
            steps[(step,)] += count
        for kind, count in each.alarms.items():
            alarms[(kind,)] += count
    return {WITHDRAWALS: steps, ALARMS: alarms}


def _connections(_now: datetime) -> Found:
    if connection.vendor != "postgresql":
        return {}
    states: dict[Labels, float] = {(state,): 0.0 for state in STATES}
    locked, longest, most = 0, 0.0, 0
    with connection.cursor() as cursor:
        cursor.execute(ACTIVITY)
        for state, count, waiting, seconds, limit in cursor.fetchall():
            (label,) = CONNECTIONS.closed((state.replace(" (aborted)", "").replace(" ", "_"),))
            states[(label,)] = states.get((label,), 0.0) + count
            locked, longest, most = locked + waiting, max(longest, float(seconds)), limit
    return {
        CONNECTIONS: states,
        CONNECTIONS_MAX: {(): most},
        LOCKED: {(): locked},
        LOCKED_SECONDS: {(): longest},
    }


def _since(at: datetime | None, now: datetime) -> float:
    return max((now - at).total_seconds(), 0.0) if at is not None else 0.0


REQUESTS_SHOWN: Final = tuple((workflow, state) for workflow in REQUEST["workflow"] for state in REQUEST["state"])
