"""Balances, orders and deposits of an Account at a real exchange, by page."""

import re
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from policies.access import grant
from policies.models import Grant
from policies.workflows import Right, Workflow
from portal.venues.kraken.credentials import finding
from portal.venues.kraken.models import Connection, Credential, Snapshot
from portal.venues.kraken.reading import snapshots
from tests.venues.kraken.pages.conftest import CLOSED, ORDER

PAGES = ("account_balances", "account_orders", "account_deposits")


def text(answer) -> str:
    assert answer.status_code == 200
    main = answer.content.decode().partition("<main")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", main))


def address(page: str, account) -> str:
    return reverse(f"treasury:{page}", args=[account.pk])


def later(seconds: int) -> None:
    """So much time has passed since everything was read."""
    for row in Snapshot.objects.exclude(account=None):
        moved = timedelta(seconds=seconds)
        read_at = row.read_at - moved if row.read_at else None
        Snapshot.objects.filter(pk=row.pk).update(read_at=read_at, tried_at=row.tried_at - moved)


@pytest.fixture
def client(browser, audit):
    return browser(audit)


def test_balances_are_the_exchanges_as_of_a_moment(client, real):
    shown = text(client.get(address("account_balances", real)))
    for words in (
        "BTC",
        "12.5000000000",
        "12.0000000000",
        "NEW.M",
        "1.25",
        "Worth 1,101.34 USD by the exchange",
        "Deposit",
    ):
        assert words in shown
    assert re.search(r"As of [0-9]{2}:[0-9]{2}:[0-9]{2} \.", shown)
    assert "Last known" not in shown


def test_orders_are_the_exchanges(client, real):
    shown = text(client.get(address("account_orders", real)))
    for words in (
        "Buy BTC/USD · Limit", "OAAAAA-AAAAA-AAAAAA", "1.25 BTC", "30,010.0",
        "Sell SUIUSD", "sell 49.96000 SUIUSD @ trailing stop +1.0000%", "Cancelled, partly filled", "User requested",
        "Sold BTC/USD", "600.2 USD", "Maker",
    ):  # fmt: skip
        assert words in shown
    assert re.search(r"As of [0-9]{2}:[0-9]{2}:[0-9]{2} \.", shown)


def test_deposits_are_the_exchanges(client, real):
    answer = client.get(address("account_deposits", real))
    shown = text(answer)
    coming, _, arrived = shown.partition("Arrived")
    assert "0.5 ETH" in coming
    assert "Seen by the network" in coming
    for words in ("0.78125 BTC", "In the balance", "Being sent back", "Bitcoin", "2Myd4e", "6544b4"):
        assert words in arrived
    assert "after=further" in answer.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_without_the_exchange_the_last_known_is_shown_and_said(client, says, real, page):
    before = text(client.get(address(page, real)))
    for method in list(says.bodies):
        says.body(method, b'{"error":["EService:Unavailable"]}')
    later(90)
    shown = text(client.get(address(page, real)))
    assert "The exchange answered: EService:Unavailable." in shown
    assert "Last known, as of" in shown
    figures = set(re.findall(r"[0-9][0-9,]*\.[0-9]+", before))
    assert figures
    assert figures <= set(re.findall(r"[0-9][0-9,]*\.[0-9]+", shown))


@pytest.mark.parametrize("page", PAGES)
def test_a_disconnected_account_shows_its_last_known(client, says, real, page):
    client.get(address(page, real))
    now = timezone.now()
    Credential.objects.filter(account=real).update(removed_at=now, sealed_secret="")
    Connection.objects.filter(account=real).update(disconnected_at=now)
    later(90)
    asked = len(says.exchange.asked)
    shown = text(client.get(address(page, real)))
    assert finding.NOT_CONNECTED in shown
    assert "Last known, as of" in shown
    assert len(says.exchange.asked) == asked


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "body", [b"<html>502</html>", b'{"error":["EGeneral:Permission denied"]}', b'{"error":[],"result":[[]]}']
)
def test_what_was_never_read_is_said(client, says, real, page, body):
    for method in list(says.bodies):
        says.body(method, body)
    shown = text(client.get(address(page, real)))
    assert "Never read so far" in shown
    assert "As of" not in shown


@pytest.mark.parametrize("page", PAGES)
def test_an_exchange_that_hangs_is_not_waited_for(client, says, real, page, monkeypatch):
    """However many questions a page has, it asks the first that is not answered in time, and no other."""
    client.get(address(page, real))
    later(90)
    monkeypatch.setattr(snapshots, "PAGE_SECONDS", 0.3)

    def hangs(handler):
        time.sleep(1)
        handler.close_connection = True

    says.exchange.says = hangs
    asked = len(says.exchange.asked)
    shown = text(client.get(address(page, real)))
    assert len(says.exchange.asked) == asked + 1
    assert "The exchange did not answer in time" in shown
    assert "Last known, as of" in shown


def test_an_older_page_that_cannot_be_read_shows_the_newest_and_says_so(client, says, real):
    for page in ("account_balances", "account_deposits"):
        client.get(address(page, real))
    says.refuse(Ledgers="EService:Unavailable", DepositStatus="EService:Unavailable")
    for page, place in (("account_balances", "LAAAAA-AAAAA-AAAAAA"), ("account_deposits", "further")):
        shown = text(client.get(address(page, real), {"after": place}))
        assert "and not the page that was asked for" in shown
        assert "2.5000000000" in shown or "0.78125 BTC" in shown


def test_a_place_that_the_exchange_does_not_know_shows_the_newest(client, says, real):
    for page in ("account_balances", "account_deposits"):
        client.get(address(page, real))
    says.refuse(Ledgers="EQuery:Unknown ledger", DepositStatus="EGeneral:Invalid arguments")
    for page, place in (("account_balances", "LXXXXX-AAAAA-AAAAAA"), ("account_deposits", "x" * 999)):
        assert "was asked for" not in text(client.get(address(page, real), {"after": place}))


def test_what_moved_of_one_asset(client, says, real):
    client.get(address("account_balances", real))
    shown = client.get(address("account_balances", real), {"asset": "XXBT"})
    assert shown.status_code == 200
    assert says.asked("Ledgers")[-1] == {"without_count": "true", "asset": "XXBT"}


@pytest.mark.parametrize("page", PAGES)
def test_only_who_may_view_the_account_sees_it(browser, audit, eve, real, world, page):
    """AZ-2, AZ-7: another Organization's Account, and one that the right does not name."""
    Grant.objects.filter(member=audit, workflow=Workflow.INITIATE_WITHDRAWAL).delete()
    assert browser(audit).get(address(page, real)).status_code == 403
    grant(audit, Workflow.INITIATE_WITHDRAWAL, Right.VIEW, world.account)
    assert browser(audit).get(address(page, real)).status_code == 404
    assert browser(eve).get(address(page, real)).status_code == 404
    grant(audit, Workflow.INITIATE_WITHDRAWAL, Right.VIEW, real)
    assert browser(audit).get(address(page, real)).status_code == 200


def test_nothing_is_tried_where_money_is_real(browser, ana, real, settings):
    settings.DEBUG = True
    client = browser(ana)
    page = reverse("treasury:try_deposit", args=[real.pk])
    assert client.get(page).status_code == 404
    assert client.post(page, {"asset": "XXBT", "amount": "1"}).status_code == 404
    for name in ("account_balances", "account_deposits"):
        assert page not in client.get(address(name, real)).content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_what_the_exchange_says_is_never_markup(client, says, real, page):
    """SI: its words are text like anybody's."""
    bad = "<script>alert(1)</script>"
    says.say(BalanceEx={bad: {"balance": "1", "hold_trade": "0"}})
    says.say(
        DepositStatus=[{"asset": bad, "refid": bad, "amount": "1", "time": 1, "status": bad, "info": bad, "txid": bad}]
    )
    says.say(OpenOrders={"open": {bad: {
        "status": "open", "opentm": 1, "vol": "1",
        "descr": {"pair": bad, "type": "buy", "ordertype": bad, "order": bad},
    }}})  # fmt: skip
    content = client.get(address(page, real)).content.decode()
    assert bad not in content
    assert "&lt;script&gt;" in content


@pytest.mark.parametrize("page", PAGES)
def test_they_take_as_many_statements_for_many_rows_as_for_one(client, says, real, page):
    """Whether the exchange is asked or not; a withdrawal among what moved is looked up with all others."""

    def rows(number: int) -> None:
        moved = {
            "time": 1688464484, "type": "withdrawal", "asset": "XXBT", "amount": "-1", "fee": "0", "balance": "1",
        }  # fmt: skip
        says.say(
            BalanceEx={f"NEW{each}": {"balance": "1.5", "hold_trade": "0"} for each in range(number)},
            Ledgers={
                "ledger": {f"LAAAAA-AAAAA-AAAA{each:02}": {**moved, "refid": f"FT{each}"} for each in range(number)}
            },
            OpenOrders={"open": {f"OAAAAA-AAAAA-AAAA{each:02}": ORDER for each in range(number)}},
            ClosedOrders={"closed": {f"OBBBBB-AAAAA-AAAA{each:02}": CLOSED for each in range(number)}},
        )

    def statements() -> tuple[int, int]:
        later(90)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address(page, real)).status_code == 200
        with CaptureQueriesContext(connection) as known:
            assert client.get(address(page, real)).status_code == 200
        return len(asked), len(known)

    rows(1)
    client.get(address(page, real))
    before = statements()
    rows(40)
    assert statements() == before
    assert before[1] <= 15
