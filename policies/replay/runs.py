"""A replay from its start to its end: at once where it is short, else by a worker, until it is done or cancelled."""

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from policies import snapshot as gathering
from policies.measures import measures
from policies.models import ChangeRequest, Replay, ReplayState
from policies.models.replay import KEPT, LOST_AFTER, MOST_ATTEMPTS, TROUBLE_LENGTH
from policies.replay.comparison import Comparison, compare
from policies.replay.kept import written
from policies.rules import MAX_OPEN_HOURS, Terms, policy_of
from policies.rules.language import Rule
from policies.snapshot.stored_rules import read_rules, written_rules
from policies.workflows import Workflow
from portal.core.database.outage import is_away
from portal.core.errors import Conflict, Refused
from portal.core.secrets.sealing import token

if TYPE_CHECKING:
    from accounts.models import Member

logger = logging.getLogger(__name__)

DAYS: Final = 90
WITHDRAWAL: Final = Workflow.INITIATE_WITHDRAWAL
# More than this is not looked at while somebody waits for the page.
AT_ONCE: Final = 2000
SAYS_AFTER: Final = 1000
# How long what was asked can wait before it is executed: as long as it may stay open, and a delay as long.
MOST_WAITED: Final = timedelta(hours=2 * MAX_OPEN_HOURS)
REFERENCE_LENGTH: Final = 16
BROKE_OFF: Final = "It broke off, and nothing was counted. Try again, or have the operator look into the log."


class Stopped(Exception):
    """Whoever runs it has it no longer: it was cancelled, or another worker began again."""


def start(*, author: "Member", rules: tuple[Rule, ...]) -> Replay:
    """Hold the last 90 days against `rules`: at once where there are few requests, else as soon as a worker can.

    Raises: Refused if the policy in force cannot be read; Conflict while one of `author`'s is not over.
    """
    organization, now = author.organization, timezone.now()
    terms = policy_of(gathering.gather(organization).policies, WITHDRAWAL)
    since = now - timedelta(days=DAYS)
    try:
        with transaction.atomic():
            replay = Replay.objects.create(
                organization=organization,
                author=author,
                reference=token(REFERENCE_LENGTH),
                rules=written_rules(rules),
                in_force=None if terms is None else written_rules(terms.rule_set),
                since=since,
                asked_at=now,
            )
    except IntegrityError:
        raise Conflict("A replay of yours is not over yet. Wait for it, or cancel it.") from None
    asked = ChangeRequest.objects.of(organization).filter(workflow=WITHDRAWAL, created_at__gte=_first_read(replay))
    replay.expected = asked.order_by()[: AT_ONCE + 1].count()
    if replay.expected <= AT_ONCE:
        run(replay.pk)
    replay.refresh_from_db()
    return replay


def cancel(replay: Replay) -> bool:
    """End it without a result; say whether it was not over before."""
    ended = {"state": ReplayState.CANCELLED, "ended_at": timezone.now()}
    return bool(Replay.objects.active().filter(pk=replay.pk).update(**ended))


def run_next() -> bool:
    """Run one that waits; say whether there was any."""
    waiting = Replay.objects.active().takeable(timezone.now() - LOST_AFTER).order_by("pk")
    found = waiting.values_list("pk", flat=True).first()
    return found is not None and run(found)


def run(pk: int) -> bool:
    """Run it unless somebody else does, and keep what comes of it; say whether it was run.

    Raises: what `is_away`: then it is begun again once the database is back.
    """
    now = timezone.now()
    replay = Replay.objects.active().filter(pk=pk).select_related("organization").first()
    if replay is None:
        return False
    begun = Replay.objects.takeable(now - LOST_AFTER).filter(pk=pk, attempts=replay.attempts)
    attempt = replay.attempts + 1
    if not begun.update(state=ReplayState.RUNNING, started_at=now, moved_at=now, passed=0, attempts=attempt):
        return False
    running = Replay.objects.filter(pk=pk, state=ReplayState.RUNNING, attempts=attempt)
    try:
        if replay.attempts >= MOST_ATTEMPTS:
            raise Refused(BROKE_OFF)
        result, found = written(_compared(replay, running))
    except Stopped:
        return True
    except Refused as refused:
        _end(running, state=ReplayState.FAILED, trouble=refused.message[:TROUBLE_LENGTH])
    except Exception as error:
        if is_away(error):
            raise
        logger.exception("A replay broke off")
        _end(running, state=ReplayState.FAILED, trouble=BROKE_OFF)
    else:
        _end(running, state=ReplayState.DONE, result=result, found=found)
    return True


def prune() -> int:
    """Forget those that are older than a week; say how many those were."""
    gone, _ = Replay.objects.filter(asked_at__lt=timezone.now() - KEPT).delete()
    return gone


def _compared(replay: Replay, running: QuerySet[Replay]) -> Comparison:
    organization, first = replay.organization, _first_read(replay)
    asked = ChangeRequest.objects.of(organization).filter(workflow=WITHDRAWAL, created_at__gte=first)
    _say(running, expected=asked.count())

    def passed(number: int) -> None:
        if number % SAYS_AFTER == 0:
            _say(running, passed=number)

    return compare(
        measures().past(organization, first),
        gathering.gather(organization, bots=True),
        None if replay.in_force is None else _terms(replay.in_force),
        _terms(replay.rules),
        since=replay.since,
        passed=passed,
    )


def _say(running: QuerySet[Replay], **known: int) -> None:
    """Raises: Stopped if it is over, or somebody else's."""
    if not running.update(moved_at=timezone.now(), **known):
        raise Stopped


def _end(running: QuerySet[Replay], **fields: object) -> None:
    running.update(ended_at=timezone.now(), **fields)


def _terms(stored: object) -> Terms:
    """A policy of these rules; of none where they cannot be read, which the rules refuse."""
    return Terms(WITHDRAWAL.value, 1, always=True, open_hours=1, rules=read_rules(stored))


def _first_read(replay: Replay) -> datetime:
    """From when on requests have to be read: those before count in sums that later ones looked at."""
    both = (*(_terms(replay.rules).rules or ()), *(_terms(replay.in_force or []).rules or ()))
    windows = [each.window.length for rule in both for each in rule.all_sums()]
    return replay.since - (max(windows) + MOST_WAITED if windows else timedelta())
