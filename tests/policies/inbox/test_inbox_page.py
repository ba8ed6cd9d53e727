"""The inbox: its tabs, filters, count and cost (DESIGN R9)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from policies.changes import propose
from policies.models import Grant
from tests.policies.conftest import ask_tidy, yes
from tests.policies.operations import Send, send


def test_each_tab_shows_its_own(asked, ana, ben, browser):
    own = ask_tidy(ana)
    finished = ask_tidy(ana, "the attic")
    yes(finished, ben)

    def tab(client, name, **filters):
        return client.get(reverse("policies:inbox"), {"tab": name, **filters}).content.decode()

    client = browser(ben)
    waiting = tab(client, "waiting")
    assert "2 requests wait for you" in waiting
    assert asked.reference in waiting
    assert own.reference in waiting
    assert finished.reference in tab(client, "done")
    assert own.reference not in tab(client, "done")
    assert own.reference in tab(browser(ana), "asked")
    assert own.reference not in tab(client, "waiting", workflow="initiate_withdrawal")
    assert own.reference not in tab(client, "waiting", initiator=f"service_user-{asked.service_user_id}")
    assert asked.reference not in tab(client, "waiting", about="shelf")
    assert own.reference in tab(client, "waiting", about=str(own.number))
    assert "No request fits" in tab(client, "waiting", about="nothing like it")


@pytest.mark.parametrize("tab", ["waiting", "asked", "all", "done"])
def test_the_filter_names_nobody_whose_requests_are_not_in_the_tab(asked, ana, audit, browser, tab):
    """AZ-7: also where there can be nothing in it, for who may view nothing."""
    ask_tidy(ana)
    Grant.objects.filter(member=audit).delete()
    shown = browser(audit).get(reverse("policies:inbox"), {"tab": tab}).content.decode()
    assert 'value="member-' not in shown
    assert 'value="service_user-' not in shown


@pytest.mark.parametrize(
    "query",
    [
        {"tab": "all' OR 1=1"},
        {"workflow": "password"},
        {"initiator": "member-999999999999999999999"},
        {"initiator": "member-²"},
        {"after": "!!!"},
        {"about": "\u202e" * 3},
        {"about": "9" * 90},
    ],
)
def test_nonsense_in_the_address_shows_the_inbox(asked, ben, browser, query):
    """IN-3: filters and tabs are closed sets."""
    assert browser(ben).get(reverse("policies:inbox"), query).status_code == 200


def test_the_inbox_asks_as_much_for_one_row_as_for_twenty(world, ana, ben, browser, treasury_bot):
    client, url = browser(ben), reverse("policies:inbox")

    def queries() -> int:
        with CaptureQueriesContext(connection) as counted:
            assert client.get(url).status_code == 200
        return len(counted)

    def ask(number):
        bot = treasury_bot
        propose(send, actor=bot.service_user, params=Send(world.account.pk, f"{number}"), api_key=bot.key)
        ask_tidy(ana, f"shelf {number}")

    ask(1)
    queries()  # what this process asks only once
    few = queries()
    for number in range(2, 11):
        ask(number)
    assert queries() == few


def test_the_count_is_a_fragment_and_for_nobody_else(asked, ben, eve, audit, browser):
    """AZ-7: the number is none for the stranger."""
    url = reverse("policies:inbox_count")
    assert ">1 <" in browser(ben).get(url, headers={"HX-Request": "true"}).content.decode()
    for member in (eve, audit):
        assert browser(member).get(url).content.decode().strip() == ""


def test_an_empty_inbox_says_what_will_stand_there(audit, browser):
    text = browser(audit).get(reverse("policies:inbox")).content.decode()
    assert "Nothing waits for you" in text
