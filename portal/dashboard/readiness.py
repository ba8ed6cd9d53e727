"""Whether the portal can serve, in a few words that strangers may read: nothing is counted and nobody named."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from psycopg import errors

from portal.api.limits import lockout
from portal.core.database.migrating import release
from portal.core.database.postgresql import standby
from portal.core.models import SealingCanary
from portal.core.observing.looker import Looker
from portal.core.secrets import canary, sealing
from portal.core.web import proxies
from portal.jobs import mail, periodic
from portal.jobs.models import TaskTurn

OK: Final = "ok"
READ_ONLY: Final = "read-only"
# With one of these the portal gets no traffic; any other word but `ok` is a reason to look after it.
STOPS: Final = {
    "database": {"away", READ_ONLY, "full"},
    "migrations": {"behind"},
    "sealing": {"wrong"},
    "static": {"missing"},
}
# Who asks is answered within this time, however long the database takes.
PATIENCE_SECONDS: Final = 2.0
# A periodic task is late when it has missed so many of its turns, and a minute.
TURNS: Final = 3
A_MINUTE: Final = timedelta(minutes=1)
MAIL_LATE: Final = timedelta(minutes=10)
# What PostgreSQL has to find room for beside its log: a megabyte, in a file that ends with the statement.
SPILL: Final = "SELECT count(*) FROM generate_series(1, 80000)"
SQLITE_ROOM: Final = 16 * 2**20
A_PAGE_NEEDS: Final = "css/base.css"


@dataclass(frozen=True, slots=True)
class Readiness:
    """One word for each thing that was looked at, and the names of periodic tasks that are late.

    `migrated_by` is the later release that has migrated the database, if one has.
    """

    words: dict[str, str]
    late: tuple[str, ...] = field(default=())
    migrated_by: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether nothing that was looked at stops it from serving."""
        return not any(self.words.get(what) in words for what, words in STOPS.items())

    @property
    def shows_pages(self) -> bool:
        """Whether pages can be read at least: from a standby, which stops all else."""
        stops = {what for what, words in STOPS.items() if self.words.get(what) in words}
        return not stops or (stops == {"database"} and self.words["database"] == READ_ONLY)

    @property
    def degraded(self) -> list[str]:
        """What is not as it should be and stops nothing."""
        return [what for what, word in self.words.items() if word != OK and word not in STOPS.get(what, ())]


AWAY: Final = Readiness({"database": "away"})


def now() -> Readiness:
    """How it stands: looked at anew after `READINESS_KEPT_SECONDS`, once for all who ask, and never waited for long."""
    return look() if settings.READINESS_KEPT_SECONDS <= 0 else _looker.answer()


def look() -> Readiness:
    """Look at everything, with this thread's connection; at a standby, where no host takes changes."""
    with standby.serving():
        return _everything()


def _everything() -> Readiness:
    words: dict[str, str] = {}
    late: tuple[str, ...] = ()
    migrated_by = ""
    try:
        words["database"] = OK
        words["migrations"] = _migrations()
        if words["migrations"] == "ahead":
            migrated_by = release.noted()
        if words["migrations"] != "behind":
            words["database"] = _database()
            words["sealing"] = "wrong" if canary.wrong_keys() else OK
            late = late_tasks()
            words["duties"] = "late" if late else OK
            words["mail"] = _mail()
    except DatabaseError as error:
        words["database"] = _lack(error)
    words["static"] = _static()
    words["counters"] = "away" if lockout.place().is_degraded else OK
    words["proxies"] = "unlisted" if proxies.unlisted_proxy_seen() else OK
    return Readiness(words, late, migrated_by)


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return "behind"
    # Another node is of a later version already; this one goes on until it is replaced.
    return "ahead" if release.is_ahead(executor.loader) else OK


def _database() -> str:
    """Whether it takes a change, and has room for more than that."""
    if connection.vendor == "sqlite" and _room_beside(str(connection.settings_dict["NAME"])) < SQLITE_ROOM:
        return "full"
    with transaction.atomic():
        SealingCanary.objects.filter(key=sealing.sealing_key()).update(looked_at=timezone.now())
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL work_mem = '64kB'")
                cursor.execute(SPILL)
                # Where a test's transaction goes on, what follows is not held back either.
                cursor.execute("SET LOCAL work_mem TO DEFAULT")
    return OK


def _room_beside(name: str) -> int:
    try:
        room = os.statvfs(Path(name).parent)
    except OSError:
        return SQLITE_ROOM
    return room.f_bavail * room.f_frsize


def _lack(error: DatabaseError) -> str:
    cause = error.__cause__
    if isinstance(cause, errors.DiskFull) or "disk is full" in str(error):
        return "full"
    if isinstance(cause, errors.ReadOnlySqlTransaction) or "readonly database" in str(error):
        return READ_ONLY
    return "away"


def late_tasks() -> tuple[str, ...]:
    """Those that nobody has taken for too long, or that sleep longer than they ever should."""
    moment = timezone.now()
    due = dict(TaskTurn.objects.values_list("name", "due_at"))
    late = []
    for task in periodic.all_tasks():
        turn = timedelta(seconds=task.seconds)
        at = due.get(task.name)
        if at is None or at < moment - max(TURNS * turn, A_MINUTE) or at > moment + turn + periodic.LEASE + A_MINUTE:
            late.append(task.name)
    return tuple(late)


def _mail() -> str:
    if mail.is_waiting_since(timezone.now() - MAIL_LATE):
        return "late"
    return "failing" if mail.keeps_failing() else OK


def _static() -> str:
    try:
        staticfiles_storage.url(A_PAGE_NEEDS)
    except ValueError:
        return "missing"
    return OK


class _Looker(Looker[Readiness]):
    """Has one thread look, of which all who ask meanwhile get the answer."""

    def __init__(self, look: Callable[[], Readiness]) -> None:
        super().__init__(
            look,
            kept=lambda: settings.READINESS_KEPT_SECONDS,
            patience=PATIENCE_SECONDS,
            late=AWAY,
            name="readiness",
        )


_looker = _Looker(look)
