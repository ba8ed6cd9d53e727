"""What a person sees when a request cannot be answered."""

import re
from contextlib import suppress
from itertools import product

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client
from django.urls import NoReverseMatch, reverse

from portal.audit.models import AuditEvent
from tests.routes import routes


@pytest.fixture(autouse=True)
def _nothing_was_refused_before():
    cache.clear()


@pytest.fixture
def strict(client):
    """A browser, whose requests are checked for the token."""
    return Client(enforce_csrf_checks=True)


def token(response):
    (found,) = re.findall(r'<meta name="csrf-token" content="([^"]+)">', response.content.decode())
    return found


def test_an_unknown_page_is_a_generic_404_with_a_number(client, db):
    """WB-12: generic error pages with a request id."""
    response = client.get("/nowhere/<script>/")
    assert response.status_code == 404
    assert re.search(r"<code>[0-9a-f]{32}</code>", response.content.decode())
    assert "nowhere" not in response.content.decode()


@pytest.mark.parametrize("path", ["/nowhere/", "/members/nobody/at/all/"])
def test_while_the_portal_is_tried_out_an_unknown_page_is_the_same(path, client, db, settings):
    """Django would list every route there is, in styles that our own policy blocks."""
    settings.DEBUG = True
    response = client.get(path)
    assert response.status_code == 404
    assert re.search(r"<code>[0-9a-f]{32}</code>", response.content.decode())
    assert "URLconf" not in response.content.decode()


@pytest.mark.urls("tests.dashboard.broken_urls")
def test_a_fault_is_not_told_to_the_reader(client, db, django_assert_num_queries):
    """WB-12: generic error pages with a request id."""
    client.raise_request_exception = False
    with django_assert_num_queries(0):
        response = client.get("/broken/")
    assert response.status_code == 500
    assert "the words of the fault" not in response.content.decode()
    assert re.search(r"<code>[0-9a-f]{32}</code>", response.content.decode())


@pytest.fixture
def database_away():
    """A database that nobody reaches, however it is asked."""

    def gone(*_args, **_kwargs):
        raise OperationalError("could not connect to server")

    with connection.execute_wrapper(gone):
        yield


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("path", ["/inbox/", "/sign-in/"])
def test_while_the_database_is_away_a_page_says_so_and_when_to_come_back(
    client, ana, sign_in, path, debug, settings, request
):
    """fault operations-F15, fault operations-F2: it was a 500, for who brought a session cookie even on /healthz."""
    sign_in(client, ana)
    request.getfixturevalue("database_away")
    client.raise_request_exception = False
    settings.DEBUG = debug
    response = client.get(path)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert "The database does not answer" in response.content.decode()
    assert re.search(r"<code>[0-9a-f]{32}</code>", response.content.decode())


def test_a_part_of_a_page_is_answered_by_a_part(client, ana, sign_in, request):
    """fault operations-F15: htmx leaves what is shown as it is and asks again."""
    sign_in(client, ana)
    request.getfixturevalue("database_away")
    client.raise_request_exception = False
    response = client.get(reverse("policies:inbox_count"), headers={"hx-request": "true"})
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert response.content.decode().startswith("<p")


def test_a_missing_right_is_named(client, ana, sign_in):
    sign_in(client, ana)
    ana.grants.all().delete()
    response = client.get(reverse("accounts:members"))
    assert response.status_code == 403
    assert "View on Manage Access" in response.content.decode()


def test_the_address_of_a_form_that_is_on_every_page_is_no_blank_page(client, ana, sign_in):
    """After a form was refused, the browser's address line holds its address."""
    sign_in(client, ana)
    response = client.get(reverse("accounts:switch"))
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"
    assert "There is nothing to look at here" in response.content.decode()
    assert b"inbox" in response.content


# They are on every page, or on none of ours.
ON_NO_PAGE = {"accounts:sign_out", "accounts:switch", "accounts:put_notice_away", "accounts:stay"}
UUID = "6f0c6a1e-2f63-4c3e-9d1a-0a4c0f3a1b11"


def addresses_of_forms():
    """What every route leads to in our words, with made-up parts where its path varies."""
    for route in routes():
        if route.name.split(":")[0] not in {"accounts", "policies", "treasury", "dashboard"}:
            continue
        for parts in product([7, "a b%2F", UUID], repeat=route.parameters):
            with suppress(NoReverseMatch):
                yield route.name, reverse(route.name, args=parts)
                break


def test_the_address_of_a_form_leads_to_its_page(client, ana, sign_in):
    """fault pages-B8: the sign-in came back to the address of the form, and there was nothing to look at."""
    sign_in(client, ana)
    led: dict[str, str | None] = {}
    for name, path in addresses_of_forms():
        answer = client.get(path)
        if answer.status_code == 405:
            led[name] = None
        elif answer.status_code == 302 and path.startswith(answer.headers["Location"]):
            led[name] = answer.headers["Location"]
    assert {name for name, page in led.items() if page is None} <= ON_NO_PAGE
    assert led["policies:decide"] == reverse("policies:request", args=[7])
    assert led["policies:cancel"] == reverse("policies:request", args=[7])
    assert led["accounts:lift_member"] == reverse("accounts:member", args=[7])
    assert led["accounts:reveal"] == reverse("accounts:service_user", args=[7])
    assert led["accounts:send_invitation_again"] == reverse("accounts:invitations")
    assert led["dashboard:export_history"] == reverse("dashboard:history")


@pytest.mark.parametrize("verb", ["post", "put", "patch", "delete"])
def test_without_the_token_nothing_unsafe_is_answered(strict, db, verb):
    """WB-3: no token 403 for POST, PUT, PATCH, DELETE."""
    strict.get(reverse("accounts:sign_in"))
    response = getattr(strict, verb)(reverse("accounts:sign_in"))
    assert response.status_code == 403
    assert "reload it" in response.content.decode()


def test_the_token_of_the_page_works_as_a_header_also_after_a_sign_in_gave_a_new_one(strict, ana, sign_in, client):
    """WB-3: read from the page at request time, so that a token rotated by sign-in works."""
    strict.get(reverse("accounts:sign_in"))
    before = token(strict.get(reverse("accounts:sign_in")))
    sign_in(client, ana)
    strict.cookies = client.cookies
    after = token(strict.get(reverse("dashboard:history")))
    assert strict.post(reverse("accounts:sign_out"), headers={"x-csrftoken": before}).status_code == 403
    assert strict.post(reverse("accounts:sign_out"), headers={"x-csrftoken": after}).status_code == 302


def test_a_refused_token_is_remembered_once_a_minute_for_each_source(strict, db):
    """AU-2: CSRF refusals are recorded, so that a flood cannot fill the chain."""
    for source in ("203.0.113.7", "203.0.113.7", "203.0.113.8", "2001:db8::1", "2001:db8::2"):
        strict.post(reverse("accounts:sign_in"), REMOTE_ADDR=source)
    events = AuditEvent.objects.filter(kind="request.refused_without_token")
    assert sorted(event.source for event in events) == ["2001:db8::1", "203.0.113.7", "203.0.113.8"]
    assert {event.outcome for event in events} == {"refused"}
    assert events[0].request_id
