"""How many statements each page makes: session, person, frame and badge counted in, and however many rows there are."""

from typing import Final

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests import ports
from tests.dashboard.every_route import NO_PAGE, PAGES, READERS
from tests.factories import full_house, full_inbox
from tests.factories.connection import EXCHANGE
from tests.factories.full_house import House
from tests.routes import routes

pytestmark = pytest.mark.django_db
MOST: Final = 15


@pytest.fixture
def house(world, settings, time_machine) -> House:
    # A minute later each page notes besides that its reader is there.
    time_machine.move_to(timezone.now(), tick=False)
    settings.DEBUG = True
    # Nobody answers there: what pages ask of an exchange on the way is not counted.
    settings.EXCHANGES = [f"{EXCHANGE}=http://127.0.0.1:{ports.lasting()}"]
    found = full_house.furnish(world)
    full_inbox.fill(found)
    return found


def test_every_route_is_in_the_table():
    """A new route says which pages it makes, or why it makes none."""
    assert {route.name for route in routes()} == {*PAGES, *NO_PAGE}
    assert not {*PAGES} & {*NO_PAGE}


def counted(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as statements:
        answer = client.get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    return len(statements)


def test_no_page_makes_more_than_fifteen_statements_however_much_there_is(house, sign_in):
    """All of them: of session, person, rights, frame and badge too. And as many for more of everything."""
    readers = {name: Client() for name in ("owner", "ben")}
    for name, client in readers.items():
        sign_in(client, house.world.members[name])

    def asked(name: str, urls: list[str]) -> dict[str, int]:
        return {url: counted(readers[READERS.get(name, "owner")], url) for url in urls}

    def all_of_them() -> dict[str, int]:
        return {url: n for name, addresses in PAGES.items() for url, n in asked(name, addresses(house)).items()}

    for name, addresses in PAGES.items():  # what this process asks only once hangs on the route, not on the row
        asked(name, addresses(house)[:1])
    few = all_of_them()
    assert {url: number for url, number in few.items() if number > MOST} == {}
    full_house.grow(house)
    # Each process looks once into an Account that is new to it for what is overdue there.
    readers["owner"].get(reverse("treasury:withdrawals"))
    many = all_of_them()
    assert {url: (few.get(url), number) for url, number in many.items() if number > few.get(url, MOST)} == {}
