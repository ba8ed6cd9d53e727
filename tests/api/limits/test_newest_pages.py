"""Pages of the ledger and of trades are kept in the process: what is told of them is what the venue tells, always."""

from random import Random

import pytest
from django.db import connection

from accounts.api_keys import credentials
from portal.api.handlers import ledger, newest_pages, orders
from portal.core.database.prepared import fetch
from portal.venues.paper.ledger.models import Book, Posting
from portal.venues.paper.orders.models import Order, Trade
from tests.api.calls import Wire
from tests.api.changed_bots import change_bot
from tests.api.limits.roads import Roads, Sent
from tests.api.limits.test_read_along import both
from tests.venues.paper.ranks import rows

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]
PAGES = ("TradesHistory", "Ledgers")
# A second after everything that a bot of the tests has been through.
LATER = 10**9


@pytest.fixture(autouse=True)
def _on_postgresql(db):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite asks in two statements")


class Books:
    """Writes a trade and an entry of the ledger at a second, as many at once as are asked for."""

    def __init__(self, wire: Wire) -> None:
        self.account, self.written = wire.bot.service_user.account, 0
        self.order = rows.order(self.account, "booked", 0, 10**6)
        self.order.save()

    def write(self, second: int, count: int = 1) -> None:
        for _ in range(count):
            self.written += 1
            name, at = f"{self.account.pk}-B{self.written}", rows.at(second)
            entry = rows.entry(name, "trade", second)
            Trade.objects.create(
                account=self.account, order=self.order, entry=entry, txid=f"T{name}", at=at, price_units=self.written,
                volume_units=1, cost_units=1, fee_units=0, value_units=1, is_maker=False,
            )  # fmt: skip
            Posting.objects.create(
                entry=entry, book=Book.ACCOUNT, account=self.account, asset="XXBT", units=self.written, at=at,
                ledger_id=f"L{name}", balance_units=self.written,
            )  # fmt: skip


@pytest.fixture
def books(trading) -> Books:
    Order.objects.filter(account=trading.bot.service_user.account).delete()
    return Books(trading)


@pytest.fixture
def read(monkeypatch) -> list[int]:
    """How many rows came with each nonce."""
    found: list[int] = []

    def counted(*given):
        told = fetch(*given)
        found.append(len(told))
        return told

    monkeypatch.setattr(credentials, "fetch", counted)
    return found


@pytest.mark.parametrize("method", PAGES)
def test_a_page_that_grows_is_told_as_the_venue_tells_it(trading, books, monkeypatch, method):
    trading.result("Balance")
    second = LATER
    for count in (0, 1, 0, 2, 47, 1, 0, 49, 50, 0, 51, 130, 3):
        second += 1
        books.write(second, count)
        answer, statements = both(trading, monkeypatch, method)
        assert statements == 1, count
        assert b'"count":%d' % len(rows_of(method, books)) in answer


@pytest.mark.parametrize("method", PAGES)
def test_rows_that_come_late_move_those_that_are_kept(trading, books, monkeypatch, method):
    trading.result("Balance")
    books.write(LATER, 60)
    both(trading, monkeypatch, method)
    answers = set()
    # Before all, among the page, and as late as its newest row, alone and with newer ones beside them.
    for seconds in ((0,), (LATER - 1,), (0, LATER + 1), (0, 0, LATER + 2), (LATER + 1,), (LATER + 2, LATER + 3)):
        for second in seconds:
            books.write(second)
        answers.add(both(trading, monkeypatch, method)[0])
        answer, _ = both(trading, monkeypatch, method)
        answers.add(answer)
        assert both(trading, monkeypatch, method) == (answer, 1), seconds
    assert len(answers) == 6


@pytest.mark.parametrize("method", PAGES)
def test_rows_are_told_newest_first_in_whatever_order_they_come(trading, books, monkeypatch, method):
    trading.result("Balance")
    chance = Random(method)
    for count in (60, 3, 17):
        books.write(LATER + count, count)
        with monkeypatch.context() as patch:
            patch.setattr(credentials, "fetch", lambda *given: shuffled(chance, fetch(*given)))
            mixed = Roads().send(Sent(trading, method))[2]
        assert mixed == both(trading, monkeypatch, method)[0]


@pytest.mark.parametrize("method", PAGES)
def test_what_is_known_is_not_read_again(trading, books, read, method):
    trading.result("Balance")
    books.write(LATER, 60)
    trading.result(method)
    trading.result(method)
    books.write(LATER + 1, 3)
    trading.result(method)
    assert read[1:] == [50, 1, 4]


@pytest.mark.parametrize("method", PAGES)
def test_whoever_sees_less_is_told_nothing_that_is_kept(trading, books, monkeypatch, method):
    """DESIGN K4: a window of the key is a list of its own."""
    trading.result("Balance")
    books.write(10, 3)
    books.write(20, 3)
    whole, _ = both(trading, monkeypatch, method)
    change_bot(trading, query_start=rows.at(15))
    seen, _ = both(trading, monkeypatch, method)
    assert (b"-B1" in whole, b"-B6" in whole) == (True, True)
    assert (b"-B1" in seen, b"-B6" in seen) == (False, True)
    change_bot(trading, query_start=None)
    assert both(trading, monkeypatch, method)[0] == whole


def test_no_more_accounts_are_kept_than_there_is_room_for(trading, books, monkeypatch):
    monkeypatch.setattr(newest_pages, "ACCOUNTS", 2)
    books.write(10)
    for method, pages in (("TradesHistory", orders.NEWEST), ("Ledgers", ledger.NEWEST)):
        trading.result(method)
        kept = pages._kept
        [(account, page)] = kept.items()
        for other in (-1, -2):
            pages._keep(other, page)
        assert list(kept) == [-1, -2]
        trading.result(method)
        assert list(kept) == [-2, account]


def shuffled(chance: Random, found: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return chance.sample(found, len(found))


def rows_of(method: str, books: Books) -> list[object]:
    model = Trade if method == "TradesHistory" else Posting
    return list(model.objects.filter(account=books.account))
