"""What only time brings about: periodic tasks, queued mail, backups and drills."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Count, Min
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from portal.dashboard import readiness
from portal.jobs import mail
from portal.operating import backups
from portal.operating.doctor.findings import Finding, Words

# Made by a timer each night, and proved by a drill each week.
BACKUP_EVERY: Final = timedelta(hours=26)
DRILL_EVERY: Final = timedelta(days=8)


def look() -> Iterator[Finding]:
    """Whether `work` runs and gets on."""
    words = Words("periodic tasks")
    late = readiness.late_tasks()
    if late:
        yield words.wrong(
            f"late: {', '.join(late)}",
            "Run manage.py work and keep it running: systemctl restart countersign-work; its log says what fails.",
        )
    else:
        yield words.ok("each had its turn")


def look_at_mail() -> Iterator[Finding]:
    """Mail that waits to be sent."""
    words, moment = Words("mail queue"), timezone.now()
    waiting = DBTaskResult.objects.filter(task_path=mail.deliver.module_path, status=TaskResultStatus.READY)
    found = waiting.aggregate(number=Count("pk"), oldest=Min("enqueued_at"))
    said = f"{found['number']} wait" + (f", the oldest for {_age(moment - found['oldest'])}" if found["oldest"] else "")
    if mail.is_waiting_since(moment - readiness.MAIL_LATE):
        yield words.wrong(f"{said}; nobody tries to send them", "systemctl restart countersign-work")
    elif mail.keeps_failing():
        yield words.wrong(
            f"{said}; the mail server did not take one twice", "The log of work says why; then see above."
        )
    else:
        yield words.ok(said)


def look_at_backups() -> Iterator[Finding]:
    """As this machine knows: one that makes no backups knows of none."""
    made, drilled = backups.ages()
    sealed_to = "" if settings.BACKUP_RECIPIENT else "set PORTAL_BACKUP_RECIPIENT, and "
    do = f"{sealed_to}systemctl enable --now countersign-backup.timer."
    yield _since("backup", made, BACKUP_EVERY, do)
    yield _since("restore drill", drilled, DRILL_EVERY, "systemctl enable --now countersign-drill.timer.")


def _since(subject: str, at: datetime | None, most: timedelta, do: str) -> Finding:
    words = Words(subject)
    if at is None:
        return words.warn("none was made on this machine", f"If no other machine makes them: {do}")
    age = timezone.now() - at
    said = f"the last one was {_age(age)} ago"
    return words.wrong(said, do[:1].upper() + do[1:]) if age > most and not settings.DEBUG else words.ok(said)


def _age(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // 1440} days"
