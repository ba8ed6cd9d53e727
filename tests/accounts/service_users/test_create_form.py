"""What the form for a new Service User proposes, explains and warns of before anything is sent."""

import pytest
import time_machine
from django.test import Client

from accounts.api_keys.permission_catalogue import catalogue
from accounts.models import ServiceUser
from accounts.models.service_user import Permission
from tests.accounts.service_users.pages import NEW, text_of

pytestmark = pytest.mark.django_db


def test_the_form_says_what_will_happen(client, owner, ana, sign_in):
    sign_in(client, owner)
    text = text_of(client.get(NEW))
    assert "This happens at once." in text
    assert "Create service user</button>" in text
    assert "90 days from now would be" in text
    visitor = Client()
    sign_in(visitor, ana)
    text = text_of(visitor.get(NEW))
    assert "This will wait for 1 approval." in text
    assert "Ben Adeyemi, Cleo Novak, Fay Lindholm and Olive Marsh can give it." in text
    assert "Ask for approval</button>" in text


def test_a_starting_point_fills_the_form_and_is_forgotten(client, owner, sign_in, new_bot):
    """Copied, never referenced; and it works without any script."""
    sign_in(client, owner)
    text = text_of(client.get(f"{NEW}?from=treasury-script"))
    for value in ("query-funds", "add-funds", "withdraw-funds", "query-ledger"):
        assert f'value="{value}" checked' in text
    assert text.count(" checked") == 4
    assert 'value="Moves funds to approved addresses"' in text
    assert "send all that the Account holds to its approved addresses" in text
    assert "that takes the acknowledgement below" in text
    assert text.count('href="?from=') == 4
    assert text_of(client.get(f"{NEW}?from=nonsense")).count(" checked") == 0
    client.post(f"{NEW}?from=treasury-script", new_bot)
    bot = ServiceUser.objects.get(name="payroll-bot")
    assert (bot.permissions, bot.purpose) == (["query-funds", "withdraw-funds"], "")


def test_the_form_proposes_ninety_days_and_shows_where_you_come_from(client, owner, sign_in):
    sign_in(client, owner)
    with time_machine.travel("2026-03-01 12:00:00Z", tick=False):
        sign_in(client, owner)
        text = text_of(client.get(NEW))
    assert 'value="2026-05-30T12:00"' in text
    assert "You come from 127.0.0.1." in text
    assert "10000 for ccxt and krakenex" in text
    assert "<code>WithdrawStatus</code>" in text


RISKS = [
    ({}, ["Choose what it may do"], ["acknowledgement"]),
    (
        {"permissions": ["query-funds"]},
        ["read what the Account holds and does, from anywhere and for ever"],
        ["acknow"],
    ),
    (
        {"permissions": ["withdraw-funds", "modify-trades"], "ip_allow_list": "203.0.113.0/28 127.0.0.1 2001:db8::/32"},
        [
            "send all",
            "trade what the Account holds at any price",
            "from 17 IPv4 addresses and 1 IPv6 network",
            "yours among them",
            "acknowledgement",
        ],
        [],
    ),
    (
        {"permissions": ["withdraw-funds"], "ip_allow_list": "10.0.0.0/8"},
        ["hardly a limit", "yours not among them"],
        [],
    ),
    ({"permissions": ["withdraw-funds"], "ip_allow_list": "x"}, ["cannot be read yet"], []),
    ({"permissions": ["nonsense"], "expires_at": "9" * 500}, ["Choose what it may do"], []),
    ({"permissions": ["query-funds"], "expires_at": "0001-01-01T00:00"}, ["for 1 day"], []),
    ({"permissions": ["query-funds"], "expires_at": "2027-02-30T12:00"}, ["from anywhere and for ever"], []),
]


@pytest.mark.parametrize(("given", "said", "unsaid"), RISKS)
def test_the_risk_line_follows_what_is_filled_in(client, ana, sign_in, given, said, unsaid):
    sign_in(client, ana)
    answer = client.get("/service-users/new/risk/", given)
    text = text_of(answer)
    assert "<html" not in text
    assert all(words in text for words in said), text
    assert not any(words in text for words in unsaid)


def test_where_nothing_tells_the_source_the_risk_line_does_not_guess_it(client, ana, sign_in):
    """Behind a socket without an address in front of it nobody is told that their own is let in."""
    sign_in(client, ana)
    given = {"permissions": ["withdraw-funds"], "ip_allow_list": "203.0.113.0/28"}
    text = text_of(client.get("/service-users/new/risk/", given, REMOTE_ADDR=""))
    assert "whoever you are" in text
    assert "yours" not in text


def test_the_risk_line_is_for_who_may_ask(client, audit, sign_in):
    sign_in(client, audit)
    assert client.get("/service-users/new/risk/").status_code == 403


def test_what_has_nothing_behind_it_is_marked(client, owner, sign_in):
    sign_in(client, owner)
    assert ">not served yet<" not in text_of(client.get(NEW))
    catalogue().served.remove(Permission.EXPORT)
    try:
        text = text_of(client.get(NEW))
    finally:
        catalogue().served.add(Permission.EXPORT)
    assert text.count(">not served yet<") == 1
