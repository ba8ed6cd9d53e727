"""Lists that are read along with the nonce, and the same lists as the venue tells them: the same in every byte."""

import json
from datetime import timedelta
from random import Random
from urllib.parse import urlencode

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.api_keys import credentials, lifecycle
from accounts.models import ApiKey
from portal.api import methods
from portal.core.database.prepared import fetch
from portal.venues.paper.orders.models import Order
from tests.api.calls import Wire, next_nonce
from tests.api.changed_bots import change_bot
from tests.api.limits.roads import Roads, Sent
from tests.venues.conftest import open_account
from tests.venues.paper.ranks import rows

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]
LISTS = ("OpenOrders", "QueryOrders", "TradesHistory", "Ledgers")
LIMIT = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.01"}
MARKET = {"type": "buy", "ordertype": "market"}


ASKED: list[tuple[str, dict[str, object]]] = [
    ("OpenOrders", {"trades": "true"}),
    ("OpenOrders", {"userref": 7}),
    ("OpenOrders", {"cl_ord_id": "mine"}),
    ("OpenOrders", {"userref": "x"}),
    ("QueryOrders", {}),
    ("QueryOrders", {"txid": "O-NONE"}),
    ("QueryOrders", {"txid": "O-NONE", "trades": "true"}),
    ("TradesHistory", {"ofs": 30}),
    ("TradesHistory", {"ofs": 1000}),
    ("TradesHistory", {"without_count": "true"}),
    ("TradesHistory", {"ledgers": "true"}),
    ("TradesHistory", {"type": "closed position"}),
    ("TradesHistory", {"start": int(rows.at(20).timestamp()), "end": int(rows.at(40).timestamp())}),
    ("TradesHistory", {"start": "T-NONE"}),
    ("Ledgers", {"ofs": 45}),
    ("Ledgers", {"ofs": 1000, "without_count": "true"}),
    ("Ledgers", {"start": int(rows.at(20).timestamp()), "end": int(rows.at(40).timestamp())}),
    ("Ledgers", {"asset": "XBT"}),
    ("Ledgers", {"asset": "all"}),
    ("Ledgers", {"asset": "nothing", "start": "L-NONE"}),
    ("Ledgers", {"type": "trade"}),
    ("Ledgers", {"aclass": "forex"}),
    ("Ledgers", {"ofs": "x"}),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _on_postgresql(db):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite asks in two statements")


@pytest.fixture
def traded(trading):
    """A bot with orders of every kind, as they come about, and rows such as no order leaves but the schema lets be."""
    trading.result("AddOrder", **MARKET, pair="XBTUSD", volume="0.01234567")
    trading.result("AddOrder", **MARKET, pair="ETHXBT", volume="1.5")
    trading.result("AddOrder", **MARKET, pair="USDCUSD", volume="7")
    trading.result("AddOrder", **LIMIT, price="100", userref=7)
    trading.result("AddOrder", **LIMIT, price="101.5", cl_ord_id="mine", oflags="post")
    trading.result("AddOrder", **LIMIT, price="102", timeinforce="GTD", expiretm="+3600")
    trading.result("AddOrder", **{**LIMIT, "type": "sell", "price": "9999999"})
    trading.result("CancelOrder", txid=trading.result("AddOrder", **LIMIT, price="103")["txid"][0])
    account, chance = trading.bot.service_user.account, Random(4)
    rows.orders(account, chance, 60)
    rows.postings(account, chance, 40)
    rows.trades(account, chance, 40)
    made = Order.objects.filter(account=account, closed_at=None).order_by("pk")
    for number, order in enumerate(made[:4], 1):
        order.filled_units, order.cost_units, order.fee_units = number, 3 * number, number - 1
        order.volume_units = number if number % 2 else 10 * number
        order.save()
    for order in Order.objects.filter(account=account, closed_at__isnull=False).order_by("-pk")[:20:3]:
        order.volume_units, order.filled_units = 5, 3
        order.save()
    return trading


def ids(wire: Wire) -> str:
    found = Order.objects.filter(account=wire.bot.service_user.account).order_by("pk")
    return ",".join([*found.values_list("txid", flat=True)[:49], "O-NONE"])


def both(wire: Wire, monkeypatch: pytest.MonkeyPatch, method: str, **fields: object) -> tuple[bytes, int]:
    """The answer as it is read along, which is that of the venue too; and how many statements it took."""
    roads, answers, statements = Roads(), [], []
    for is_along in (True, False):
        with monkeypatch.context() as patch:
            if not is_along:
                patch.setattr(methods.PrivateMethod, "reading", lambda *_: None)
                patch.setattr("portal.api.straight_path.answer", lambda *_, **__: None)
            text = str(next_nonce())
            given = urlencode({"nonce": text, **fields}).encode()
            with CaptureQueriesContext(connection) as queries:
                answers.append(roads.send(Sent(wire, method, text, given))[2])
            statements.append(len(queries))
    assert answers[0] == answers[1], (method, fields)
    return answers[0], statements[0]


def test_every_list_is_one_statement_and_says_the_same(traded, monkeypatch):
    traded.result("Balance")
    for method in LISTS:
        fields = {"txid": ids(traded)} if method == "QueryOrders" else {}
        answer, statements = both(traded, monkeypatch, method, **fields)
        assert answer.startswith(b'{"error":[],'), answer
        assert len(answer) > 1_000
        assert statements == 1, method


def test_whatever_is_asked(traded, monkeypatch):
    traded.result("Balance")
    answers = {both(traded, monkeypatch, method, **fields)[0] for method, fields in ASKED}
    assert len(answers) > len(ASKED) // 2


def test_within_the_window_of_the_key(traded, monkeypatch):
    """DESIGN K4: nothing comes along that the key does not see."""
    asked = [(method, {"txid": ids(traded)} if method == "QueryOrders" else {}) for method in LISTS]
    whole = [both(traded, monkeypatch, method, **fields)[0] for method, fields in asked]
    change_bot(traded, query_start=rows.at(10), query_end=rows.at(50))
    for (method, fields), before in zip(asked, whole, strict=True):
        seen, _ = both(traded, monkeypatch, method, **fields)
        assert seen.startswith(b'{"error":[],'), method
        assert len(seen) < len(before), method


def test_an_order_that_is_asked_for_alone_is_told_as_among_others(traded, monkeypatch):
    traded.result("Balance")
    everything = traded.result("QueryOrders", txid=ids(traded))
    for txid, told in everything.items():
        answer, statements = both(traded, monkeypatch, "QueryOrders", txid=txid)
        assert (json.loads(answer)["result"], statements) == ({txid: told}, 1)
    elsewhere = rows.order(open_account(), "elsewhere", 1, None)
    elsewhere.save()
    assert both(traded, monkeypatch, "QueryOrders", txid=elsewhere.txid) == (b'{"error":[],"result":{}}', 1)


def test_an_order_is_told_as_it_stands_whatever_of_it_has_changed(traded, monkeypatch):
    """What was told of it is kept as long as nothing changes."""
    order = Order.objects.filter(account=traded.bot.service_user.account, closed_at=None).latest("pk")
    order.volume_units = 10
    order.save()
    changes: list[dict[str, object]] = [
        {"pair": "XETHZUSD"}, {"side": "buy"}, {"is_post_only": True}, {"cl_ord_id": "another"},
        {"cl_ord_id": None, "userref": 5}, {"opened_at": rows.at(5)}, {"price_units": 12}, {"filled_units": 3},
        {"volume_units": 12}, {"cost_units": 70}, {"fee_units": 7},
        {"time_in_force": "GTD", "expires_at": timezone.now() + timedelta(hours=1)},
        {"status": "canceled", "closed_at": rows.at(9), "due_at": None, "held_units": 0}, {"reason": "User requested"},
        {"closed_at": rows.at(10)}, {"status": "expired"},
    ]  # fmt: skip
    answers = {both(traded, monkeypatch, "QueryOrders", txid=order.txid)[0]}
    for change in changes:
        Order.objects.filter(pk=order.pk).update(**change)
        told, _ = both(traded, monkeypatch, "QueryOrders", txid=order.txid)
        assert told not in answers, change
        assert both(traded, monkeypatch, "QueryOrders", txid=order.txid) == (told, 1)
        answers.add(told)


@pytest.mark.parametrize("permissions", [["query-open-trades"], ["query-closed-trades"]])
def test_an_order_is_told_to_whom_its_state_is_open(traded, monkeypatch, permissions):
    change_bot(traded, permissions=permissions)
    lifecycle.forget(traded.bot.public)
    lifecycle.find(traded.bot.public)
    answer, statements = both(traded, monkeypatch, "QueryOrders", txid=ids(traded))
    assert statements == 1
    assert (b'"status":"open"' in answer) == (permissions == ["query-open-trades"])
    assert (b'"status":"canceled"' in answer) != (permissions == ["query-open-trades"])


@pytest.mark.parametrize("method", LISTS)
def test_whoever_has_nothing_is_told_so_in_one_statement(world, monkeypatch, method, readonly):
    change_bot(readonly, permissions=["query-open-trades", "query-closed-trades", "query-ledger"])
    Order.objects.filter(account=readonly.bot.service_user.account).update(txid="gone")
    lifecycle.find(readonly.bot.public)
    both(readonly, monkeypatch, method, **({"txid": "O-NONE"} if method == "QueryOrders" else {}))


def test_whoever_calls_too_often_has_nothing_looked_up(traded, monkeypatch, settings):
    """fault: a key over its limit that asked on had all its open orders read at each call, to be told nothing."""
    settings.API_LIMITS = True
    traded.result("Balance")
    read: list[int] = []

    def counted(*given):
        found = fetch(*given)
        read.append(len(found))
        return found

    monkeypatch.setattr(credentials, "fetch", counted)
    roads, answers = Roads(), []
    for level in (0, 1000):
        ApiKey.objects.filter(pk=traded.bot.key.pk).update(calls=level, calls_at=timezone.now().timestamp())
        answers.append(roads.send(Sent(traded, "OpenOrders"))[2])
    assert len(answers[0]) > 1_000
    assert answers[1] == b'{"error":["EAPI:Rate limit exceeded"]}'
    assert read[0] > 1
    assert read[1:] == [1]


def test_what_has_come_due_is_carried_out_first(trading, monkeypatch):
    """An order that expires meanwhile is not told as open."""
    trading.result("AddOrder", **LIMIT, price="102", timeinforce="GTD", expiretm="+60")
    assert len(trading.result("OpenOrders")["open"]) == 1
    with time_machine.travel(timezone.now() + timedelta(minutes=2), tick=False):
        assert trading.result("OpenOrders")["open"] == {}
        assert both(trading, monkeypatch, "OpenOrders")[1] == 1
