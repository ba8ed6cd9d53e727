"""Open sockets on the page of a Service User: who sees them, who closes one, and what is said of it."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.api_keys import lifecycle
from accounts.api_keys.streaming import sockets
from accounts.api_keys.streaming.sockets import Held
from accounts.models import ServiceUser, StreamSocket, User
from portal.audit.models import AuditEvent
from tests.accounts.service_users.pages import page, text_of
from tests.factories.world import Bot

pytestmark = pytest.mark.django_db
PAGE = page("trading-bot")
NOW = datetime(2026, 11, 29, 14, 30, tzinfo=UTC)


def let_stream(bot: Bot, *, on: bool = True) -> None:
    ServiceUser.objects.filter(pk=bot.service_user.pk).update(websocket=on)
    lifecycle.touch(bot.service_user)


def opened(bot: Bot, number: int = 1, **values: object) -> StreamSocket:
    fields = {"source": "203.0.113.9", "opened_at": timezone.now(), **values}
    sockets.seen("here", [Held(number, bot.key.pk, bot.service_user.pk, **fields)])  # type: ignore[arg-type]
    return StreamSocket.objects.get(number=number)


def close_path(row: StreamSocket, name: str = "trading-bot") -> str:
    return page(name, f"sockets/{row.pk}/close")


@pytest.fixture
def bot(trading_bot: Bot) -> Bot:
    let_stream(trading_bot)
    return trading_bot


def test_each_socket_says_whose_since_when_from_where_and_what_flows(client, audit, bot, sign_in):
    User.objects.filter(pk=audit.user_id).update(time_zone="Europe/Zurich")
    with time_machine.travel(NOW, tick=False):
        begun, last = NOW - timedelta(hours=2), NOW - timedelta(seconds=125)
        opened(bot, opened_at=begun, last_message_at=last, subscribed=("executions", "ticker BTC/USD"))
        sign_in(client, audit)
        text = text_of(client.get(PAGE))
    section = text[text.index("Open sockets") : text.index("Settings</h2>")]
    assert bot.key.short in section
    assert "203.0.113.9" in section
    assert "29 Nov 2026, 13:30" in section
    assert "last message 2 min ago" in section
    assert "executions" in section
    assert "ticker BTC/USD" in section
    assert bot.public not in text


@pytest.mark.parametrize("who", ["ben", "audit"])
def test_who_may_not_pause_the_key_sees_the_list_without_a_button(client, world, bot, sign_in, who):
    row = opened(bot)
    sign_in(client, world.members[who])
    text = text_of(client.get(PAGE))
    assert "from 203.0.113.9" in text
    assert "/sockets/" not in text
    assert client.post(close_path(row)).status_code == 403
    assert sockets.to_close("here") == frozenset()
    assert AuditEvent.objects.filter(kind="access.denied").count() == 1


def test_closing_is_said_and_the_row_waits_until_it_is_gone(client, ana, bot, sign_in):
    row = opened(bot)
    sign_in(client, ana)
    assert close_path(row) in text_of(client.get(PAGE))
    text = text_of(client.post(close_path(row), follow=True))
    assert f"The socket of {bot.key.short} is being closed." in text
    assert "Closing…" in text
    assert close_path(row) not in text
    assert sockets.to_close("here") == {1}
    event = AuditEvent.objects.get(kind="stream.closed")
    assert (event.actor_label, event.via[:7]) == ("Ana Ruiz", "session")
    sockets.closed("here", {1})
    assert "None is open." in text_of(client.get(PAGE))


def test_pressing_twice_closes_once(client, ana, bot, sign_in):
    row = opened(bot)
    sign_in(client, ana)
    client.post(close_path(row))
    assert "Somebody has closed this socket already" in text_of(client.post(close_path(row), follow=True))
    assert AuditEvent.objects.filter(kind="stream.closed").count() == 1


def test_one_that_is_gone_meanwhile_is_closed_already(client, ana, bot, sign_in):
    row = opened(bot)
    sockets.closed("here", {1})
    sign_in(client, ana)
    assert "This socket is closed already." in text_of(client.post(close_path(row), follow=True))
    assert not AuditEvent.objects.filter(kind="stream.closed").exists()


def test_another_bots_socket_is_none_of_this_one(client, ana, owner, eve, world, bot, treasury_bot, sign_in):
    """AZ-2: of the same Organization and of the next one, by the number alone, nothing is learnt or closed."""
    theirs, ours = opened(world.bot("eve-bot"), 1), opened(treasury_bot, 2)
    sign_in(client, ana)
    for row in (theirs, ours):
        assert "This socket is closed already." in text_of(client.post(close_path(row), follow=True))
    assert client.post(close_path(theirs, "eve-bot")).status_code == 404
    stranger = Client()
    sign_in(stranger, eve)
    assert stranger.post(close_path(ours, "treasury-bot")).status_code == 404
    assert "This socket is closed already." in text_of(stranger.post(close_path(ours, "eve-bot"), follow=True))
    assert sockets.to_close("here") == frozenset()


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", "99999999999999999999999999", "٣"])
def test_a_number_that_names_nothing_closes_nothing(client, ana, bot, sign_in, number):
    opened(bot)
    sign_in(client, ana)
    assert client.post(f"{PAGE}sockets/{number}/close/").status_code in {302, 404}
    assert sockets.to_close("here") == frozenset()


def test_an_address_closes_nothing(client, ana, bot, sign_in):
    row = opened(bot)
    sign_in(client, ana)
    answer = client.get(close_path(row))
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    strict = Client(enforce_csrf_checks=True)
    sign_in(strict, ana)
    assert strict.post(close_path(row)).status_code == 403
    assert sockets.to_close("here") == frozenset()


def test_a_bot_without_the_setting_has_no_such_list(client, owner, treasury_bot, bot, sign_in):
    sign_in(client, owner)
    without = text_of(client.get(page("treasury-bot")))
    assert "Open sockets" not in without
    assert "its keys open no sockets" in without
    with_setting = text_of(client.get(PAGE))
    assert "None is open." in with_setting
    assert "its keys open no sockets" not in with_setting


def test_what_is_still_open_when_the_setting_goes_off_is_shown(client, owner, bot, sign_in):
    opened(bot)
    let_stream(bot, on=False)
    sign_in(client, owner)
    assert "from 203.0.113.9" in text_of(client.get(PAGE))


def test_twenty_are_shown_the_others_counted_and_what_flows_is_cut_short(client, owner, bot, sign_in):
    flows = tuple(f"ticker {number}" for number in range(200))
    for number in range(23):
        opened(bot, number, subscribed=flows)
    sign_in(client, owner)
    text = text_of(client.get(PAGE))
    assert text.count("203.0.113.9 ·") == 20
    assert "3 more are open." in text
    assert "ticker 7" in text
    assert "ticker 8" not in text
    assert "and 92 more" in text
    assert len(StreamSocket.objects.get(number=0).subscribed) == 100


def test_what_a_process_says_is_text_on_the_page(client, owner, bot, sign_in):
    opened(bot, subscribed=("<script>alert(1)</script>",), source="<b>")
    sign_in(client, owner)
    text = text_of(client.get(PAGE))
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text
    assert "from &lt;b&gt;" in text


def test_the_page_takes_as_many_queries_for_twenty_sockets_as_for_one(client, owner, bot, sign_in):
    sign_in(client, owner)
    opened(bot, 0)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE)
    for number in range(1, 20):
        opened(bot, number)
    with CaptureQueriesContext(connection) as many:
        text = text_of(client.get(PAGE))
    assert text.count("203.0.113.9 ·") == 20
    assert len(many) == len(few)


@pytest.mark.parametrize("who", ["ana", "owner"])
def test_who_stops_a_key_or_the_bot_reads_what_is_closed_with_it(client, world, bot, treasury_bot, sign_in, who):
    for number in (1, 2):
        opened(bot, number)
    opened(treasury_bot, 3)
    sign_in(client, world.members[who])
    for act in (f"keys/{bot.public}/pause", f"keys/{bot.public}/revoke", "suspend"):
        assert "from its next call on, and 2 open sockets" in text_of(client.get(page("trading-bot", act)))
    assert "and 1 open socket " in text_of(client.get(page("treasury-bot", "suspend")))
    sockets.closed("here", {1, 2, 3})
    assert "open socket" not in text_of(client.get(page("trading-bot", "suspend")))
