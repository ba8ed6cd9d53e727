"""A replay from its start to its end: short ones at once, long ones by a worker; cancelled, broken, lost, forgotten."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from policies import measures
from policies.models import Replay
from policies.models.replay import KEPT, LOST_AFTER, MOST_ATTEMPTS
from policies.replay import runs
from policies.replay.comparison import Difference, Grown
from policies.rules.language import AtLeast, Rule, SumOf, Window
from policies.workflows import Workflow
from portal.core.errors import Conflict, Refused
from portal.jobs import rounds
from portal.treasury.withdrawals import request_withdrawal
from tests.policies.replay.told import Told, counted

pytestmark = pytest.mark.django_db
THREE = (Rule(approvals=3),)


@pytest.fixture
def told(monkeypatch):
    """What is known of past withdrawals here."""
    found = Told()
    monkeypatch.setattr(measures, "_taken", [found])
    return found


@pytest.fixture
def three_asked(told, ana, account):
    told.asked(ana, account, count=3)
    return told


def by_a_worker(monkeypatch):
    monkeypatch.setattr(runs, "AT_ONCE", -1)


def test_few_requests_are_looked_at_at_once(three_asked, ben):
    """The demo's policy asks for two."""
    replay = runs.start(author=ben, rules=THREE)
    assert (replay.state, replay.attempts) == ("done", 1)
    found = counted(replay)
    assert found.total == 3
    assert found.counts == {Difference.MORE: 3}
    assert found.grown == {Grown(None, 1): 3}
    assert replay.found == {"more": [[1, 0], [2, 0], [3, 0]]}
    assert replay.in_force is not None
    assert len(replay.in_force) == len(replay.rules) == 1
    assert replay.ended_at is not None


def test_many_wait_for_a_worker(three_asked, ben, monkeypatch):
    by_a_worker(monkeypatch)
    replay = runs.start(author=ben, rules=THREE)
    assert (replay.state, replay.result) == ("waiting", None)
    assert "replays" in [each.name for each in rounds.all_rounds()]
    assert runs.run_next()
    replay.refresh_from_db()
    assert replay.state == "done"
    assert not runs.run_next()


def test_one_at_a_time(three_asked, ben, cleo, monkeypatch):
    by_a_worker(monkeypatch)
    runs.start(author=ben, rules=THREE)
    with pytest.raises(Conflict, match="not over yet"):
        runs.start(author=ben, rules=THREE)
    runs.start(author=cleo, rules=THREE)
    assert Replay.objects.active().count() == 2


def test_the_database_says_so_too(three_asked, ben, monkeypatch):
    by_a_worker(monkeypatch)
    replay = runs.start(author=ben, rules=THREE)
    replay.pk, replay.reference = None, "another"
    with pytest.raises(IntegrityError), transaction.atomic():
        replay.save(force_insert=True)


@pytest.mark.parametrize(
    "fields",
    [{"state": "lost"}, {"state": "done"}, {"result": {}}, {"ended_at": timezone.now()}, {"state": "failed"}],
    ids=["an unknown state", "done without a result", "a result before it is done", "ended and active", "over, no end"],
)
def test_a_row_is_one_thing_or_the_other(three_asked, ben, monkeypatch, fields):
    by_a_worker(monkeypatch)
    replay = runs.start(author=ben, rules=THREE)
    with pytest.raises(IntegrityError), transaction.atomic():
        Replay.objects.filter(pk=replay.pk).update(**fields)


def test_an_author_of_next_door_is_refused(three_asked, ben, eve):
    replay = runs.start(author=ben, rules=THREE)
    with pytest.raises(IntegrityError), transaction.atomic():
        Replay.objects.filter(pk=replay.pk).update(author=eve)


def test_what_is_cancelled_meanwhile_ends_there(told, ben, ana, account, monkeypatch):
    by_a_worker(monkeypatch)
    monkeypatch.setattr(runs, "SAYS_AFTER", 1)
    told.asked(ana, account, count=3)
    replay = runs.start(author=ben, rules=THREE)
    told.while_reading(1, lambda: runs.cancel(replay))
    assert runs.run_next()
    replay.refresh_from_db()
    assert (replay.state, replay.result, replay.passed) == ("cancelled", None, 0)
    assert told.given == 1
    assert not runs.cancel(replay)


def test_it_says_how_far_it_is(three_asked, ben, monkeypatch):
    by_a_worker(monkeypatch)
    monkeypatch.setattr(runs, "SAYS_AFTER", 1)
    replay = runs.start(author=ben, rules=THREE)
    seen = []
    three_asked.while_reading(2, lambda: seen.append(Replay.objects.get(pk=replay.pk).passed))
    runs.run_next()
    assert seen == [1]


def test_what_breaks_says_so(three_asked, ben, caplog):
    three_asked.while_reading(1, lambda: 1 / 0)
    replay = runs.start(author=ben, rules=THREE)
    assert (replay.state, replay.trouble) == ("failed", runs.BROKE_OFF)
    assert "ZeroDivisionError" in caplog.text


def test_a_database_that_is_away_is_waited_for(three_asked, ben, monkeypatch):
    def away():
        raise OperationalError("gone")

    by_a_worker(monkeypatch)
    replay = runs.start(author=ben, rules=THREE)
    three_asked.while_reading(1, away)
    with pytest.raises(OperationalError):
        runs.run_next()
    # Nobody takes it while whoever has it may still be at it.
    assert not runs.run_next()
    Replay.objects.filter(pk=replay.pk).update(moved_at=timezone.now() - LOST_AFTER - timedelta(seconds=1))
    three_asked.while_reading(1, lambda: None)
    assert runs.run_next()
    replay.refresh_from_db()
    assert (replay.state, replay.attempts) == ("done", 2)


def test_who_lost_it_to_another_worker_writes_nothing_more(three_asked, ben, monkeypatch):
    def another_one():
        Replay.objects.filter(pk=replay.pk).update(moved_at=timezone.now() - 2 * LOST_AFTER)
        three_asked.while_reading(1, lambda: None)
        assert runs.run(replay.pk)

    by_a_worker(monkeypatch)
    replay = runs.start(author=ben, rules=THREE)
    three_asked.while_reading(1, another_one)
    runs.run_next()
    replay.refresh_from_db()
    assert (replay.state, replay.attempts) == ("done", 2)


def test_what_ends_its_worker_each_time_is_given_up(three_asked, ben, monkeypatch):
    by_a_worker(monkeypatch)
    replay = runs.start(author=ben, rules=THREE)
    gone = {"state": "running", "attempts": MOST_ATTEMPTS, "moved_at": timezone.now() - 2 * LOST_AFTER}
    Replay.objects.filter(pk=replay.pk).update(**gone)
    assert runs.run_next()
    replay.refresh_from_db()
    assert (replay.state, replay.trouble) == ("failed", runs.BROKE_OFF)


def test_a_policy_that_cannot_be_read_starts_nothing(told, ben):
    ben.organization.policies.filter(workflow=Workflow.INITIATE_WITHDRAWAL).update(rules={"no": "rules"})
    with pytest.raises(Refused):
        runs.start(author=ben, rules=THREE)
    assert not Replay.objects.exists()


def test_it_runs_on_the_rules_of_its_start(three_asked, ben, monkeypatch):
    by_a_worker(monkeypatch)
    replay = runs.start(author=ben, rules=THREE)
    ben.organization.policies.filter(workflow=Workflow.INITIATE_WITHDRAWAL).update(approvals=3)
    runs.run_next()
    replay.refresh_from_db()
    assert counted(replay).counts == {Difference.MORE: 3}


def test_without_a_policy_it_is_held_against_none(told, ben, treasury_bot, account):
    told.asked(treasury_bot.service_user, account, count=2)
    ben.organization.policies.filter(workflow=Workflow.INITIATE_WITHDRAWAL).delete()
    replay = runs.start(author=ben, rules=(Rule(approvals=1),))
    assert replay.in_force is None
    assert counted(replay).grown == {Grown(None, 1): 2}


def test_sums_are_read_from_before_the_days_that_are_looked_at(told, ben):
    day = AtLeast(SumOf(window=Window.DAY), Decimal(5))
    replay = runs.start(author=ben, rules=(Rule(approvals=1, sums=(day,)),))
    assert told.since == replay.since - timedelta(hours=24) - runs.MOST_WAITED
    replay = runs.start(author=ben, rules=THREE)
    assert told.since == replay.since


def test_they_are_forgotten_after_a_week(three_asked, ben):
    old, new = runs.start(author=ben, rules=THREE), runs.start(author=ben, rules=THREE)
    Replay.objects.filter(pk=old.pk).update(asked_at=timezone.now() - KEPT - timedelta(minutes=1))
    assert runs.prune() == 1
    assert Replay.objects.get() == new


def test_real_requests_are_looked_at(world, ben, treasury_bot):
    """Through what the portal itself tells of withdrawals."""
    for _ in range(2):
        request_withdrawal(
            actor=treasury_bot.service_user,
            account=world.account,
            key="btc-cold",
            asset="XXBT",
            amount=Decimal("0.5"),
            api_key=treasury_bot.key,
        )
    replay = runs.start(author=ben, rules=THREE)
    assert counted(replay).counts == {Difference.MORE: 2}
