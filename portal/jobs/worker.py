"""The loops of `manage.py work`: periodic tasks when they are due, beside them mail and rounds, and a clean end."""

import logging
import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Thread, current_thread, main_thread
from types import FrameType
from typing import Final

from django.db import Error, close_old_connections, connection, transaction
from django.utils import timezone
from django.utils.crypto import get_random_string
from django_tasks import TaskResultStatus
from django_tasks_db.management.commands.db_worker import Worker as Runner
from django_tasks_db.models import DBTaskResult

from portal.core import call_origin
from portal.core.database import outage
from portal.core.observing import writing
from portal.core.observing.spans import root
from portal.jobs import periodic, rounds
from portal.jobs.periodic import every

logger = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 0.5
# How long to leave a database alone that does not answer.
PATIENCE_SECONDS: Final = 2.0
# A task that has run for so long is that of a worker that was killed; it is tried again, but not for ever.
LOST_AFTER: Final = timedelta(minutes=10)
MOST_ATTEMPTS: Final = 5
KEPT: Final = timedelta(hours=1)


class Worker:
    """Works until it is told to stop, or, with `parent`, until the process that started it is gone."""

    def __init__(self, *, parent: int | None = None) -> None:
        self.name = get_random_string(32)
        self.parent = parent
        self._is_told_to_stop = False

    def listen(self) -> None:
        """Stop on SIGTERM and Ctrl-C once what is being done is done; at once when told a second time."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)

    def run(self) -> None:
        """Work: a database that goes away is waited for, a periodic task that fails is logged and tried again in time.

        Queued tasks run in a thread of their own, and so does each round: a mail server that hangs keeps mail waiting,
        an exchange that hangs what is to be sent there, and neither a periodic task.
        """
        writing.begin()
        beside = [Thread(target=self._repeat, args=(self._send, "A task failed"), name="mail")]
        beside += [
            Thread(target=self._repeat, args=(each.step, f"A round of {each.name} failed"), name=each.name)
            for each in rounds.all_rounds()
        ]
        for thread in beside:
            thread.start()
        self._repeat(self._do_periodic_tasks, "A periodic task failed")
        for thread in beside:
            thread.join()

    def _repeat(self, step: Callable[[], bool], failure: str) -> None:
        """Take one step after the other, with a pause after one that found nothing to do."""
        call_origin.begins(current_thread().name if current_thread() is not main_thread() else "")
        while not self._is_over:
            try:
                close_old_connections()
                is_busy = step()
            except Error as error:
                outage.note(error)
                # No traceback: this can go on for as long as the database is being mended.
                logger.warning("The database does not answer: %s", type(error).__name__)
                connection.close()
                time.sleep(PATIENCE_SECONDS)
            except Exception:
                logger.exception(failure)
                time.sleep(PAUSE_SECONDS)
            else:
                if not is_busy and not self._is_over:
                    time.sleep(PAUSE_SECONDS)
        connection.close()

    def _send(self) -> bool:
        return run_one(self.name)

    def _do_periodic_tasks(self) -> bool:
        return periodic.run_due() > 0

    @property
    def _is_over(self) -> bool:
        return self._is_told_to_stop or (self.parent is not None and os.getppid() != self.parent)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        self._is_told_to_stop = True
        signal.signal(number, signal.SIG_DFL)


def run_one(worker: str) -> bool:
    """Run the next queued task, if there is one that nobody else has taken."""
    ready = DBTaskResult.objects.ready()
    # Looked for first: taking one locks the whole of an SQLite database.
    if not ready.exists():
        return False
    with transaction.atomic():
        task = ready.get_locked()
        if task is None:
            return False
        task.claim(worker)
    call_origin.begins(task.task_path)
    with root(f"queued {task.task_path}"):
        _runner(worker).run_task(task)
    call_origin.begins("")
    return True


def run_ready() -> int:
    """Run all that is queued and due, and say how much that was: for tests, and for commands that end."""
    ran = 0
    while run_one("here"):
        ran += 1
    return ran


@every(60)
def take_up_lost_tasks() -> None:
    """Queue again what a killed worker had begun; give it up after a few times."""
    lost = DBTaskResult.objects.running().filter(started_at__lt=timezone.now() - LOST_AFTER)
    for task in lost:
        again = len(task.worker_ids) < MOST_ATTEMPTS
        status = TaskResultStatus.READY if again else TaskResultStatus.FAILED
        finished = None if again else timezone.now()
        lost.filter(pk=task.pk).update(status=status, finished_at=finished)
        logger.error("Task %s was begun and never finished; %s", task.task_path, "again" if again else "given up")


@every(600)
def forget_finished_tasks() -> None:
    """What was done is in the history, where it matters; the queue keeps nothing."""
    DBTaskResult.objects.finished().filter(finished_at__lt=timezone.now() - KEPT).delete()


def _runner(worker: str) -> Runner:
    return Runner(
        queue_names=["*"],
        interval=0,
        batch=True,
        backend_name="default",
        startup_delay=False,
        max_tasks=1,
        worker_id=worker,
        excluded_queue_names=[],
    )
