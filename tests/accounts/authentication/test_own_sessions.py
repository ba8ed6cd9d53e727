"""One's own sessions on the security page, staying in, and coming back."""

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import Session

pytestmark = pytest.mark.django_db
PAGE = "/members/"


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as frozen:
        yield frozen


@pytest.fixture
def second() -> Client:
    return Client(headers={"User-Agent": "Somewhere else"}, REMOTE_ADDR="203.0.113.77")


def handle_of(client) -> str:
    return str(Session.objects.get(session_key=client.cookies["session"].value).handle)


def is_in(client) -> bool:
    return bool(client.get(PAGE).status_code == 200)


def test_they_are_listed_with_when_where_and_by_what(client, second, ana, sign_in_by_code):
    """SI-9: a member lists own sessions (started, last seen, source, factor)."""
    sign_in_by_code(second, ana)
    sign_in_by_code(client, ana)
    text = " ".join(client.get("/security/").content.decode().split())
    for told in ("Somewhere else", "from 203.0.113.77", "by authenticator app", "started", "last seen", "This one"):
        assert told in text
    assert text.count("This one") == 1


def test_one_is_ended_from_the_other_and_back(client, second, clock, ana, sign_in):
    """SI-9: end from B, A's next request goes to sign-in; two browsers, in both directions."""
    sign_in(client, ana)
    sign_in(second, ana)
    assert client.post(f"/security/sessions/{handle_of(second)}/end/").url == "/security/"
    assert second.get(PAGE).url.startswith("/sign-in/")
    sign_in(second, ana)
    second.post(f"/security/sessions/{handle_of(client)}/end/")
    assert not is_in(client)
    assert is_in(second)


def test_ones_own_present_session_can_be_ended_too(client, clock, ana, sign_in):
    sign_in(client, ana)
    clock.shift(timedelta(minutes=2))
    assert client.post(f"/security/sessions/{handle_of(client)}/end/").url == "/"
    assert not is_in(client)


def test_all_others_end_with_one_button(client, second, ana, sign_in):
    sign_in(second, ana)
    sign_in(client, ana)
    client.post("/security/sessions/end-others/")
    assert is_in(client)
    assert not is_in(second)
    assert "End all others" not in client.get("/security/").content.decode()


def test_a_session_of_somebody_else_cannot_be_named(client, second, ana, ben, sign_in):
    """AZ-2: one's own only, and an unknown one is answered alike."""
    sign_in(second, ben)
    sign_in(client, ana)
    for handle in (handle_of(second), uuid4()):
        answer = client.post(f"/security/sessions/{handle}/end/", follow=True)
        assert "There is no such session any more." in answer.content.decode()
    assert is_in(second)


def test_staying_counts_and_looking_at_the_clock_does_not(client, clock, ana, sign_in):
    """SI-7: the warning asks how long is left, which is no activity; one click is."""
    sign_in(client, ana)
    clock.shift(timedelta(minutes=20))
    assert client.get("/session/left/").json() == {"left": 600}
    clock.shift(timedelta(minutes=9))
    assert client.get("/session/left/").json() == {"left": 60}
    assert client.post("/session/stay/").json() == {"left": 1800}
    clock.shift(timedelta(minutes=29, seconds=59))
    assert client.get("/session/left/").status_code == 200
    clock.shift(timedelta(seconds=1))
    assert client.get("/session/left/").status_code == 302
    assert client.post("/session/stay/").status_code == 302


def test_no_staying_goes_beyond_the_absolute_limit(client, clock, ana, sign_in):
    """SI-7: absolute 12 h, whatever one clicks."""
    sign_in(client, ana)
    for _ in range(12 * 3 - 1):
        clock.shift(timedelta(minutes=20))
        assert client.post("/session/stay/").status_code == 200
    assert client.get("/session/left/").json() == {"left": 1200}
    clock.shift(timedelta(minutes=20))
    assert client.get("/session/left/").status_code == 302


def test_every_page_says_how_long_it_has(client, clock, ana, sign_in):
    sign_in(client, ana)
    clock.shift(timedelta(minutes=5))
    assert 'data-idle="1800"' in client.get(PAGE).content.decode()


def test_who_came_back_is_told_to_the_page_and_to_nobody_else(client, ana, sign_in):
    text = client.get("/session/here/").content.decode()
    assert "You are not signed in." in text
    assert "data-person" not in text
    sign_in(client, ana)
    text = client.get("/session/here/").content.decode()
    assert f'data-person="{ana.user.handle}"' in text
    assert f'data-organization="{ana.organization_id}"' in text
