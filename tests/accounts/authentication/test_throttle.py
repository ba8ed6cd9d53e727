"""How often signing in may be tried, and from where."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import known_networks
from accounts.authentication import password_step, throttle
from accounts.factors import recovery_codes
from accounts.models import Attempts
from portal.audit.models import AuditEvent
from portal.core.database.prepared import fetch
from tests.factories.world import PASSWORD

pytestmark = pytest.mark.django_db
HERE, THERE = "198.51.100.7", "203.0.113.9"
NOTE = """
CREATE TABLE noted_commits (setting text);
CREATE FUNCTION note_commit() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO noted_commits (setting) VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
CREATE TRIGGER note_commit AFTER UPDATE ON accounts_attempts FOR EACH ROW EXECUTE FUNCTION note_commit();
"""


def try_password(email, password=PASSWORD, source=HERE):
    """Whether the password step let somebody through."""
    return Client(REMOTE_ADDR=source).post("/sign-in/", {"email": email, "password": password}).status_code == 302


def test_six_failures_from_one_place_do_not_keep_the_member_out_elsewhere(owner):
    """SI-5: six failures from A, success from B."""
    for _ in range(6):
        assert not try_password(owner.user.email, "wrong", HERE)
    assert not try_password(owner.user.email, source=HERE)
    assert try_password(owner.user.email, source=THERE)


def test_after_a_quarter_of_an_hour_a_place_may_try_again(owner):
    """SI-5: 5 / 15 min."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(5):
            try_password(owner.user.email, "wrong")
        clock.shift(timedelta(minutes=14, seconds=59))
        assert not try_password(owner.user.email)
        clock.shift(2)
        assert try_password(owner.user.email)


def test_a_source_may_fail_fifty_times_whoever_it_tries(owner):
    """SI-5: per source next."""
    for number in range(50):
        assert throttle.may_try_password(f"somebody{number}@demo.test", HERE)
    assert not try_password(owner.user.email, source=HERE)
    assert try_password(owner.user.email, source=THERE)


def test_a_stranger_with_many_places_slows_only_strangers(owner):
    """SI-5: per account last and softly; a stranger cannot lock a member out for good."""
    known_networks.remember(owner.user, THERE)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for number in range(40):
            throttle.may_try_password(owner.user.email, f"198.51.100.{number}")
            clock.shift(throttle.LONGEST_WAIT)
        throttle.may_try_password(owner.user.email, "198.51.100.77")
        assert not try_password(owner.user.email, source="192.0.2.1")
        assert try_password(owner.user.email, source=THERE)
        clock.shift(throttle.LONGEST_WAIT)
        assert try_password(owner.user.email, source="192.0.2.1")


def test_the_delay_grows(owner):
    """SI-5: then growing delay."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        waits = []
        for number in range(16):
            waited = 0
            while not throttle.may_try_password(owner.user.email, f"198.51.100.{number}"):
                # Each wait is tried from a fresh place: the smaller limits must not be what refuses.
                Attempts.objects.filter(key__startswith="pair:").delete()
                clock.shift(1)
                waited += 1
            waits.append(waited)
    assert waits == [0] * 10 + [1, 2, 4, 8, 16, 32]


def test_after_a_hundred_failures_in_a_row_no_password_is_tried(owner):
    """SI-5: hard stop at 100 consecutive failures per authenticator, until a new password is set by mail."""
    known_networks.remember(owner.user, THERE)
    Attempts.objects.create(
        key=throttle._account(owner.user.email), in_a_row=100, since=timezone.now(), last_at=timezone.now()
    )
    assert not try_password(owner.user.email, source=THERE)
    throttle.forget_password_failures(owner.user.email)
    assert try_password(owner.user.email, source=THERE)


def test_a_right_password_and_code_forgive_what_came_before(client, owner, code):
    for _ in range(3):
        try_password(owner.user.email, "wrong", "127.0.0.1")
    client.post("/sign-in/", {"email": owner.user.email, "password": PASSWORD})
    assert client.post("/sign-in/code/", {"code": code(owner)}).status_code == 302
    assert not Attempts.objects.filter(key=throttle._account(owner.user.email)).exists()
    for _ in range(4):
        assert not try_password(owner.user.email, "wrong", "127.0.0.1")
    assert try_password(owner.user.email, source="127.0.0.1")


@pytest.mark.parametrize("known", [True, False])
def test_the_sixth_try_costs_no_run_and_says_the_same(owner, hashed, known):
    """fault security-M1 (and operations-F3): same status, same text (SI-4), also for who is not there."""
    texts, runs = set(), []
    email = owner.user.email if known else "nobody@demo.test"
    for _ in range(7):
        hashed.clear()
        answer = Client(REMOTE_ADDR=HERE).post("/sign-in/", {"email": email, "password": "wrong"})
        texts.add((answer.status_code, answer.context["form"].non_field_errors()[0]))
        runs.append(len(hashed))
    assert len(texts) == 1
    assert runs == [1] * 5 + [0] * 2


def test_a_source_past_its_limit_costs_neither_a_run_nor_a_lock(owner, hashed, django_assert_num_queries):
    """fault security-M1: whoever it asks for; all 50 tries a second came from one address long past its limit."""
    Attempts.objects.create(key=throttle._source(HERE), tries=50, since=timezone.now(), last_at=timezone.now())
    Client(REMOTE_ADDR=HERE).post("/sign-in/", {"email": "first@demo.test", "password": "wrong"})
    hashed.clear()
    for email in (owner.user.email, "nobody@demo.test"):
        with django_assert_num_queries(1):
            answer = Client(REMOTE_ADDR=HERE).post("/sign-in/", {"email": email, "password": PASSWORD})
        assert password_step.WRONG in answer.context["form"].non_field_errors()
    assert hashed == []


def test_who_hammers_at_the_door_does_not_fill_the_history(owner):
    before = AuditEvent.objects.count()
    for number in range(12):
        try_password(owner.user.email, "wrong", f"2001:db8:77::{number:x}")
    kinds = list(AuditEvent.objects.order_by("pk")[before:].values_list("kind", flat=True))
    assert kinds == ["sign_in.failed"] * 5 + ["sign_in.throttled"]


def test_a_right_password_takes_eight_statements_and_one_digest(owner, hashed):
    """Signing in is as quick as its digest: what is counted around that is few, and the same each time."""
    counts = []
    for _ in range(3):
        hashed.clear()
        with CaptureQueriesContext(connection) as queries:
            assert try_password(owner.user.email)
        counts.append(sum(not query["sql"].startswith(("SAVEPOINT", "RELEASE")) for query in queries))
        assert len(hashed) == 1
    # The rows to count in are made the first time.
    assert counts[1:] == [8, 8]


def test_a_window_begins_with_the_first_try_that_was_not_right(owner):
    """SI-5: right passwords before it neither shorten nor lengthen it."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert try_password(owner.user.email)
        clock.shift(timedelta(minutes=14, seconds=50))
        for _ in range(5):
            assert not try_password(owner.user.email, "wrong")
        clock.shift(20)
        assert not try_password(owner.user.email)


@pytest.mark.django_db(transaction=True)
def test_racing_tries_are_all_counted(owner, race):
    """SI-5: counted before it is tried, so that many at once are not more than many one after the other."""
    allowed = race(lambda _: throttle.may_try_password(owner.user.email, HERE), 8)
    assert sorted(map(bool, allowed)) == [False] * 3 + [True] * 5


@pytest.mark.django_db(transaction=True)
def test_many_who_sign_in_at_once_from_one_place_do_not_wait_for_each_other_in_a_circle(race):
    """SI-5: each locks three rows, of which others want one or two; all of them are made meanwhile."""

    def sign_in(number):
        email = f"somebody{number % 3}@demo.test"
        may_try = throttle.may_try_password(email, HERE)
        throttle.password_was_right(email, HERE)
        return may_try

    assert race(sign_in, 9) == [True] * 9
    assert set(Attempts.objects.values_list("tries", "in_a_row")) == {(0, 0)}
    assert Attempts.objects.count() == 7


def test_wrong_codes_count_for_the_person(client, owner, code):
    """F-11: 5 bad TOTP then recovery code: still delayed."""
    (recovery, *_) = recovery_codes.issue(owner.user)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(5):
            assert throttle.wait_for_code(owner.user) is None
        client.post("/sign-in/", {"email": owner.user.email, "password": PASSWORD})
        answer = client.post("/sign-in/recovery/", {"code": recovery})
        assert "Too many wrong codes" in answer.content.decode()
        assert recovery_codes.remaining(owner) == 10
        clock.shift(31)
        client.post("/sign-in/", {"email": owner.user.email, "password": PASSWORD})
        assert client.post("/sign-in/recovery/", {"code": recovery}).status_code == 302


def test_a_recovery_code_does_not_forgive_wrong_codes(owner):
    """F-7, F-11: whoever guesses must not start anew with it."""
    for _ in range(4):
        throttle.wait_for_code(owner.user)
    throttle.signed_in(owner.user, by_recovery_code=True)
    throttle.wait_for_code(owner.user)
    assert throttle.wait_for_code(owner.user) is not None


def test_an_ipv6_network_is_one_place():
    assert known_networks.network_of("2001:db8::1") == known_networks.network_of("2001:db8::ffff") == "2001:db8::/64"
    assert known_networks.network_of("") == "unknown"


def test_old_counts_are_forgotten(owner):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        throttle.may_try_password("nobody@nowhere.test", HERE)
        clock.shift(timedelta(days=2))
        throttle.may_try_password("another@nowhere.test", THERE)
    assert Attempts.objects.count() == 3


def test_tries_counted_while_the_clock_ran_ahead_keep_nobody_out_until_then(owner):
    """fault operations-F5: the window that began in the future is over; failures in a row stay counted."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        clock.shift(timedelta(hours=2))
        for _ in range(12):
            try_password(owner.user.email, "wrong", HERE)
        assert throttle.wait_for_code(owner.user) is None
        clock.shift(-timedelta(hours=2))
        assert try_password(owner.user.email, source=HERE)
        for _ in range(throttle.FREE_CODES_IN_A_ROW):
            throttle.wait_for_code(owner.user)
        assert throttle.wait_for_code(owner.user) is not None


def test_a_code_tried_while_the_clock_ran_ahead_makes_nobody_wait_until_then(owner):
    """fault operations-F5: one more try is made, and noted at the right time."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        clock.shift(timedelta(hours=2))
        for _ in range(throttle.FREE_CODES_IN_A_ROW):
            assert throttle.wait_for_code(owner.user) is None
        assert throttle.wait_for_code(owner.user) is not None
        clock.shift(-timedelta(hours=2))
        assert throttle.wait_for_code(owner.user) is None
        assert throttle.wait_for_code(owner.user) == throttle.CODE_DELAY * 2


def test_after_five_wrong_passwords_the_words_are_true_of_the_right_one_too(owner):
    """fault pages-C17: "not right" was said of the right password; now what else it may be, and the way in."""
    for _ in range(5):
        try_password(owner.user.email, "wrong")
    answer = Client(REMOTE_ADDR=HERE).post("/sign-in/", {"email": owner.user.email, "password": PASSWORD})
    (said,) = answer.context["form"].non_field_errors()
    assert "or it was tried too often" in said
    assert "not even the right one counts for a quarter of an hour" in said
    assert "a passkey lets you in before" in said


@pytest.fixture
def commits() -> Iterator[Callable[[], set[str]]]:
    """How what was counted was committed since this was asked last; the server's own setting is `on` here."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO on")
        cursor.execute(NOTE)
    yield lambda: {setting for (setting,) in fetch("DELETE FROM noted_commits RETURNING setting", {})}
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION note_commit() CASCADE")
        cursor.execute("DROP TABLE noted_commits")
        cursor.execute("RESET synchronous_commit")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_try_is_counted_on_the_disk_and_only_taken_back_without_waiting_for_it(owner, request):
    """SI-5: a crash of the database must not give anybody more tries, nor lose what is done beside."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one way to commit")
    commits = request.getfixturevalue("commits")
    email = owner.user.email
    for _ in range(8):
        # Often enough to be prepared on the server.
        assert throttle.may_try_password(email, HERE)
        assert commits() == {"on"}
        throttle.password_was_right(email, HERE)
        assert commits() == {"off"}
    with transaction.atomic():
        assert throttle.may_try_password(email, HERE)
        throttle.password_was_right(email, HERE)
        assert fetch("SELECT current_setting('synchronous_commit')", {}) == [("on",)]
