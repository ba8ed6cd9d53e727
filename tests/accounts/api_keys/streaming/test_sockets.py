"""The table of open sockets: said by the process that holds them, closed by Members, forgotten without a process."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.api_keys.lifecycle import Credential
from accounts.api_keys.streaming import events, sockets
from accounts.api_keys.streaming.sockets import Held
from accounts.models import StreamSocket
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, NotFound, Refused
from tests.accounts.conftest import live

pytestmark = pytest.mark.django_db
HERE = "streams-1:4711:aQ"
OTHER = "streams-2:4711:bR"


def held(credential: Credential, number: int = 1, **values: object) -> Held:
    fields = {"source": "203.0.113.9", "opened_at": timezone.now(), **values}
    return Held(number, credential.id, credential.service_user_id, **fields)  # type: ignore[arg-type]


def test_an_open_socket_is_shown_with_what_flows_to_it(credential, streaming_bot):
    begun = timezone.now()
    sockets.opened(credential, HERE, held(credential, opened_at=begun))
    sockets.seen(
        HERE, [held(credential, opened_at=begun, last_message_at=begun, subscribed=("balances", "executions"))]
    )
    (row,) = sockets.open_of(streaming_bot.service_user).rows
    assert (row.api_key, row.number, row.source) == (streaming_bot.key, 1, "203.0.113.9")
    assert (row.opened_at, row.last_message_at) == (begun, begun)
    assert row.subscribed == ["balances", "executions"]


@pytest.mark.parametrize("many", [1, 20, 300])
def test_few_statements_say_of_all_sockets_that_they_are_open(credential, many, django_assert_max_num_queries):
    rows = [held(credential, number) for number in range(many)]
    for _ in range(2):
        # One for the sockets, two for the keys, a savepoint. On SQLite a statement takes so many values and no more.
        with django_assert_max_num_queries(5 if many < 100 or connection.vendor == "postgresql" else 14):
            sockets.seen(HERE, rows)
    assert StreamSocket.objects.count() == many


def test_what_is_said_again_keeps_the_row_and_who_wants_it_closed(credential, ana):
    sockets.seen(HERE, [held(credential)])
    before = StreamSocket.objects.get()
    sockets.ask_to_close(before.pk, ana)
    sockets.seen(HERE, [held(credential, subscribed=("balances",))])
    after = StreamSocket.objects.get()
    assert (after.pk, after.close_asked_by, after.subscribed) == (before.pk, ana, ["balances"])
    assert sockets.to_close(HERE) == {1}


def test_two_processes_number_their_sockets_for_themselves(credential):
    sockets.seen(HERE, [held(credential, 1), held(credential, 2)])
    sockets.seen(OTHER, [held(credential, 1)])
    sockets.closed(HERE, {1})
    left = StreamSocket.objects.order_by("process").values_list("process", "number")
    assert list(left) == [(HERE, 2), (OTHER, 1)]
    sockets.closed(HERE, [])
    assert StreamSocket.objects.count() == 2


def test_a_socket_whose_process_is_gone_is_not_shown_and_then_forgotten(credential, streaming_bot):
    sockets.seen(HERE, [held(credential, 1)])
    with time_machine.travel(timezone.now() + timedelta(seconds=59)):
        assert len(sockets.open_of(streaming_bot.service_user).rows) == 1
        sockets.seen(OTHER, [held(credential, 2)])
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        assert [row.number for row in sockets.open_of(streaming_bot.service_user).rows] == [2]
        sockets.prune()
        assert list(StreamSocket.objects.values_list("number", flat=True)) == [2]


def test_a_pruned_socket_that_lives_comes_back(credential, streaming_bot):
    """A process that was held up for a minute says it again."""
    sockets.seen(HERE, [held(credential)])
    StreamSocket.objects.all().delete()
    sockets.seen(HERE, [held(credential)])
    assert len(sockets.open_of(streaming_bot.service_user).rows) == 1


def test_the_newest_are_shown_and_the_others_counted(credential, streaming_bot, django_assert_num_queries):
    now = timezone.now()
    sockets.seen(HERE, [held(credential, n, opened_at=now - timedelta(minutes=n)) for n in range(25)])
    with django_assert_num_queries(2):
        found = sockets.open_of(streaming_bot.service_user)
    assert [row.number for row in found.rows] == list(range(20))
    assert found.more == 5


def test_another_bot_shows_its_own_sockets(credential, streaming_bot, world):
    eve_bot = world.bot("eve-bot")
    sockets.seen(HERE, [held(credential, 1), held(live(eve_bot.public), 2)])
    assert [row.number for row in sockets.open_of(streaming_bot.service_user).rows] == [1]
    assert [row.number for row in sockets.open_of(eve_bot.service_user).rows] == [2]


def test_a_member_who_may_ask_closes_a_socket_once(credential, ana, owner):
    sockets.seen(HERE, [held(credential, 7)])
    row = StreamSocket.objects.get()
    assert sockets.to_close(HERE) == frozenset()
    sockets.ask_to_close(row.pk, ana)
    assert sockets.to_close(HERE) == {7}
    assert sockets.to_close(OTHER) == frozenset()
    with pytest.raises(Conflict):
        sockets.ask_to_close(row.pk, owner)
    event = AuditEvent.objects.get(kind="stream.closed")
    assert (event.actor_label, event.subject_label, event.data["bot"]) == (ana.label, str(row.api_key), "trading-bot")
    assert event.data["opened_from"] == "203.0.113.9"


@pytest.mark.parametrize("who", ["ben", "audit"])
def test_who_may_not_pause_the_key_closes_nothing(credential, world, who):
    sockets.seen(HERE, [held(credential)])
    with pytest.raises(Refused):
        sockets.ask_to_close(StreamSocket.objects.get().pk, world.members[who])
    assert sockets.to_close(HERE) == frozenset()


def test_a_socket_of_next_door_is_none_at_all(credential, eve):
    """AZ-2."""
    sockets.seen(HERE, [held(credential)])
    row = StreamSocket.objects.get()
    for number in (row.pk, row.pk + 1):
        with pytest.raises(NotFound):
            sockets.ask_to_close(number, eve)
    assert not AuditEvent.objects.filter(kind="stream.closed").exists()


def test_that_a_key_begins_to_stream_is_history_once_a_minute_for_each_address(credential, django_assert_num_queries):
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        sockets.opened(credential, HERE, held(credential, 1))
        with django_assert_num_queries(5):
            sockets.opened(credential, HERE, held(credential, 2))
        event = AuditEvent.objects.get(kind="stream.opened")
        assert (event.actor_kind, event.actor_label, event.source) == ("service_user", "trading-bot", "203.0.113.9")
        assert event.subject_id == credential.id
        sockets.opened(credential, HERE, replace(held(credential, 3), source="203.0.113.10"))
        assert AuditEvent.objects.filter(kind="stream.opened").count() == 2
        clock.shift(61)
        sockets.opened(credential, HERE, held(credential, 4))
        assert AuditEvent.objects.filter(kind="stream.opened").count() == 3


def test_what_the_portal_closes_is_history_once_a_minute_for_each_reason(credential, treasury_bot):
    """A bot that comes back and is closed again fills no history."""
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        for reason in ("It reads too slowly.", "It reads too slowly.", "The key was paused."):
            events.closed(credential, source="203.0.113.9", reason=reason)
        events.closed(live(treasury_bot.public), source="203.0.113.9", reason="It reads too slowly.")
        assert AuditEvent.objects.filter(kind="stream.closed").count() == 3
        clock.shift(timedelta(seconds=61))
        events.closed(credential, source="203.0.113.9", reason="It reads too slowly.")
    found = AuditEvent.objects.filter(kind="stream.closed").order_by("pk")
    assert [event.data["bot"] for event in found] == ["trading-bot", "trading-bot", "treasury-bot", "trading-bot"]
    assert {(event.actor_kind, event.source) for event in found} == {("portal", "203.0.113.9")}


def test_sockets_are_counted_by_key_and_by_bot(credential, streaming_bot, treasury_bot):
    sockets.seen(HERE, [held(credential, 1), held(credential, 2), held(live(treasury_bot.public), 3)])
    assert (sockets.count_of(credential.id), sockets.count_of(treasury_bot.key.pk)) == (2, 1)
    assert sockets.count_of_bot(streaming_bot.service_user) == 2
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        assert (sockets.count_of(credential.id), sockets.count_of_bot(streaming_bot.service_user)) == (0, 0)


def test_the_database_wants_to_know_who_closes(credential):
    sockets.seen(HERE, [held(credential)])
    with pytest.raises(IntegrityError, match="stream_socket_close_asked_by_somebody"), transaction.atomic():
        StreamSocket.objects.update(close_asked_at=timezone.now())


def test_the_database_refuses_a_number_twice_in_one_process(credential):
    sockets.seen(HERE, [held(credential)])
    row = StreamSocket.objects.get()
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_the_database_holds_key_bot_and_member_together(credential, world, treasury_bot, eve):
    """AZ-3: around every form and function."""
    sockets.seen(HERE, [held(credential)])
    row = StreamSocket.objects.get()
    for values in (
        {"api_key": world.bot("eve-bot").key},
        {"api_key": treasury_bot.key},
        {"service_user": world.bot("eve-bot").service_user},
        {"service_user": treasury_bot.service_user},
        {"close_asked_by": eve, "close_asked_at": timezone.now()},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            StreamSocket.objects.filter(pk=row.pk).update(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        sockets.seen(HERE, [Held(2, credential.id, treasury_bot.service_user.pk, "", timezone.now())])
