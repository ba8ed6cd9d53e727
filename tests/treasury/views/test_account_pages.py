"""Orders and deposits of an Account, by page: for who may View Initiate Withdrawal there."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, User
from portal.venues.paper import funding
from portal.venues.registry import venue
from portal.venues.types import NewOrder, OrderKind, Side

PAPER = venue("paper")
PAGES = ("account_balances", "account_orders", "account_deposits")


@pytest.fixture
def vault(world) -> Account:
    account: Account = Account.objects.create(organization=world.organization, name="Vault", created_at=timezone.now())
    return account


def address(page: str, account: Account) -> str:
    return reverse(f"treasury:{page}", args=[account.pk])


def text(answer) -> str:
    assert answer.status_code == 200
    main = answer.content.decode().partition("<main")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", main))


def order(account, side=Side.BUY, price: str | None = "20000", volume="0.1", pair="XBTUSD"):
    kind = OrderKind.LIMIT if price else OrderKind.MARKET
    new = NewOrder(pair, side, kind, Decimal(volume), price=Decimal(price) if price else None)
    return PAPER.place_order(account.pk, new)


def test_orders_that_are_open_that_ended_and_what_they_traded(browser, audit, account):
    standing = order(account)
    cancelled = order(account, price="20001")
    PAPER.cancel_orders(account.pk, order_id=cancelled.id)
    filled = order(account, side=Side.SELL, price=None, volume="1.5", pair="ETHUSD")
    shown = text(browser(audit).get(address("account_orders", account)))
    standing_part, _, rest = shown.partition("Closed last")
    ended_part, _, traded_part = rest.partition("Traded last")
    assert standing.id in standing_part
    assert "Buy BTC/USD · Limit" in standing_part
    assert "20,000.0" in standing_part
    for words in (cancelled.id, "Cancelled", filled.id, "Sell ETH/USD · Market", "Filled", "1.50000000 ETH"):
        assert words in ended_part
    assert filled.id not in standing_part
    assert "Sold ETH/USD" in traded_part
    assert "Taker" in traded_part


def test_deposits_on_their_way_and_arrived(browser, audit, account, time_machine):
    began = timezone.now()
    time_machine.move_to(began, tick=False)
    sent = PAPER.simulate_deposit(account.pk, "XXBT", Decimal("0.75"))
    client, page = browser(audit), address("account_deposits", account)
    coming, _, arrived = text(client.get(page)).partition("Arrived")
    assert "0.75 BTC" in coming
    assert sent.address in coming
    assert "0.75 BTC" not in arrived
    time_machine.move_to(began + timedelta(minutes=10), tick=False)
    shown = text(client.get(page))
    assert "On their way" not in shown
    assert "In the balance" in shown


def test_deposits_come_in_pages(browser, audit, vault):
    for _ in range(30):
        PAPER.simulate_deposit(vault.pk, "XXBT", Decimal("0.01"))
    client, page = browser(audit), address("account_deposits", vault)
    first = client.get(page).context
    assert len(first["coming"]) == 25
    second = client.get(page, {"after": first["page"]["next"]}).context
    assert len(second["coming"]) == 5
    assert {row.reference for row in first["coming"]}.isdisjoint(row.reference for row in second["coming"])
    for bad in ("x", "%00", "9" * 999):
        assert len(client.get(page, {"after": bad}).context["coming"]) == 25


def test_empty_pages_say_what_comes_next(browser, audit, vault):
    client = browser(audit)
    shown = text(client.get(address("account_orders", vault)))
    for words in (
        "No order is open.",
        "Bots place orders by their API",
        "No order has ended yet.",
        "Nothing was traded yet.",
    ):
        assert words in shown
    assert "Nothing has arrived yet." in text(client.get(address("account_deposits", vault)))


@pytest.mark.parametrize("page", PAGES)
def test_each_leads_to_the_others_and_to_the_other_accounts(browser, audit, account, vault, page):
    content = browser(audit).get(address(page, account)).content.decode()
    for other in PAGES:
        assert f'href="{address(other, account)}"' in content
    assert f'href="{address(page, vault)}"' in content
    here = re.findall(r'href="([^"]*)"\s+aria-current="page"', content.partition("<main")[2])
    assert here == [address(page, account)] * 2


@pytest.mark.parametrize("page", PAGES)
def test_they_are_of_now_in_the_members_zone(browser, audit, account, page, time_machine):
    time_machine.move_to("2026-11-02T12:00:07Z", tick=False)
    User.objects.filter(pk=audit.user_id).update(time_zone="Asia/Tokyo")
    shown = text(browser(audit).get(address(page, account)))
    assert "As of 21:00:07" in shown
    assert "Times are Asia/Tokyo" in shown


@pytest.mark.parametrize("page", ["account_orders", "account_deposits"])
def test_they_take_as_many_statements_for_many_rows_as_for_one(browser, audit, vault, page):
    funding.deposit(vault.pk, "USD", Decimal(900000), reference="in")
    client = browser(audit)

    def more() -> None:
        order(vault, volume="0.001")
        PAPER.cancel_orders(vault.pk, order_id=order(vault, volume="0.001").id)
        order(vault, price=None, volume="0.001")
        PAPER.simulate_deposit(vault.pk, "XXBT", Decimal("0.01"))

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address(page, vault)).status_code == 200
        return len(captured)

    more()
    statements()
    before = statements()
    for _ in range(12):
        more()
    assert statements() == before


def test_deposits_offer_to_try_only_where_that_can_be(browser, ana, audit, account, settings):
    settings.DEBUG = True
    offer = reverse("treasury:try_deposit", args=[account.pk])
    assert offer in browser(ana).get(address("account_deposits", account)).content.decode()
    assert offer not in browser(audit).get(address("account_deposits", account)).content.decode()
    settings.DEBUG = False
    assert offer not in browser(ana).get(address("account_deposits", account)).content.decode()
