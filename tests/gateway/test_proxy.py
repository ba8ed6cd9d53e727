"""The proxy of the tests does what it is told, and knows what the exchange has seen: else the tests prove nothing."""

import gzip
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import BadStatusLine, HTTPConnection, HTTPResponse, IncompleteRead
from threading import Event, Thread
from time import monotonic, time, time_ns
from typing import Any

import pytest

from tests.api.calls import FORM, sign
from tests.gateway.proxy import faults
from tests.gateway.proxy.faults import HeldBack

COLD = {"asset": "XBT", "key": "btc-cold", "amount": "0.01"}
# What a client sees of a connection that ends before an answer.
ENDED = (BadStatusLine, ConnectionError)


class Caller:
    """What a gateway sends, over one connection, with the credential that may withdraw."""

    def __init__(self, proxy, customer) -> None:
        self.key = customer.keys["withdraw"]
        self.connection = HTTPConnection("127.0.0.1", proxy.port, timeout=10)

    def send(self, method: str, /, *, nonce: int = 0, **fields: Any) -> HTTPResponse:
        nonce = nonce or time_ns()
        body = "&".join([f"nonce={nonce}", *(f"{name}={value}" for name, value in fields.items())]).encode()
        path = f"/0/private/{method}"
        headers = {"API-Key": self.key[0], "API-Sign": sign(self.key[1], path, str(nonce), body), "Content-Type": FORM}
        self.connection.request("POST", path, body, headers)
        return self.connection.getresponse()

    def ask(self, method: str, /, **fields: Any):
        return json.loads(self.send(method, **fields).read())


@pytest.fixture
def caller(proxy, customer):
    caller = Caller(proxy, customer)
    with closing(caller.connection):
        yield caller


def test_without_a_plan_everything_passes_and_is_remembered(proxy, customer, caller):
    began = time()
    sent = caller.ask("Withdraw", **COLD, nonce=10**15)
    assert sent["error"] == []
    first = caller.connection.sock
    assert caller.ask("WithdrawStatus", nonce=10**15 + 1)["result"][0]["refid"] == sent["result"]["refid"]
    assert caller.connection.sock is first, "the connection was not kept"
    withdraw, status = proxy.requests()
    assert (withdraw.method, withdraw.nonce, withdraw.key) == ("Withdraw", 10**15, customer.keys["withdraw"][0])
    assert withdraw.fields == {"nonce": str(10**15), **COLD}
    assert began <= withdraw.at <= status.at <= time()
    assert withdraw.executed
    assert withdraw.answered
    assert withdraw.accepted
    assert withdraw.answer.read() == sent
    assert withdraw.is_private
    caller.connection.request("GET", "/0/public/Ticker?pair=XBTUSD")
    assert json.loads(caller.connection.getresponse().read())["error"] == []
    (ticker,) = proxy.requests("Ticker")
    assert (ticker.verb, ticker.fields, ticker.is_private) == ("GET", {"pair": "XBTUSD"}, False)


@pytest.mark.parametrize(
    ("fault", "executed"),
    [
        (faults.answer_lost, True),
        (faults.reset_after, True),
        (faults.cut_before, False),
        (faults.reset_before, False),
    ],
)
def test_a_connection_ends_without_an_answer(proxy, customer, caller, fault, executed):
    proxy.on("Withdraw", fault)
    with pytest.raises(ENDED):
        caller.send("Withdraw", **COLD)
    (request,) = proxy.requests()
    assert (request.executed, request.accepted, request.answered) == (executed, executed, False)
    assert len(customer.withdrawals()) == executed
    assert len(proxy.accepted("Withdraw")) == executed
    # The next one finds a connection again.
    assert caller.ask("WithdrawStatus")["error"] == []


@pytest.mark.parametrize("fault", [faults.cut_in_the_middle, faults.longer_than_it_is])
def test_less_comes_than_was_said(proxy, customer, caller, fault):
    proxy.on("Withdraw", fault)
    with pytest.raises(IncompleteRead):
        caller.send("Withdraw", **COLD).read()
    assert len(customer.withdrawals()) == 1
    assert not proxy.requests("Withdraw")[0].answered


def test_more_comes_than_was_said(proxy, customer, caller):
    proxy.on("Withdraw", faults.shorter_than_it_is)
    text = caller.send("Withdraw", **COLD).read()
    (request,) = proxy.requests()
    assert request.answer.body.startswith(text)
    assert len(text) == len(request.answer.body) - 10
    assert not request.answered
    assert len(customer.withdrawals()) == 1


@pytest.mark.parametrize("executed", [True, False])
@pytest.mark.parametrize("status", [502, 503, 504, 520, 522, 525])
def test_a_page_comes_instead_of_an_answer(proxy, customer, caller, status, executed):
    proxy.on("Withdraw", faults.page(status, executed=executed))
    answer = caller.send("Withdraw", **COLD)
    assert (answer.status, answer.headers["Content-Type"]) == (status, "text/html; charset=UTF-8")
    assert str(status) in answer.read().decode()
    assert len(customer.withdrawals()) == executed


@pytest.mark.parametrize("executed", [True, False])
def test_json_ends_in_the_middle(proxy, customer, caller, executed):
    proxy.on("Withdraw", faults.truncated_json(executed=executed))
    answer = caller.send("Withdraw", **COLD)
    assert answer.status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.read())
    assert len(customer.withdrawals()) == executed


def test_an_answer_comes_compressed(proxy, caller):
    proxy.on("WithdrawStatus", faults.gzipped, times=1)
    proxy.on("WithdrawStatus", faults.gzip_broken, times=1)
    proxy.on("WithdrawStatus", faults.gzip_in_name_only, times=1)
    whole = caller.send("WithdrawStatus").read()
    assert json.loads(gzip.decompress(whole)) == {"error": [], "result": []}
    broken = caller.send("WithdrawStatus")
    assert broken.headers["Content-Encoding"] == "gzip"
    with pytest.raises(EOFError):
        gzip.decompress(broken.read())
    with pytest.raises(gzip.BadGzipFile):
        gzip.decompress(caller.send("WithdrawStatus").read())
    assert caller.ask("WithdrawStatus") == {"error": [], "result": []}


@pytest.mark.parametrize("executed", [True, False])
def test_an_answer_is_late(proxy, customer, caller, executed):
    proxy.on("Withdraw", faults.slow(0.3, executed=executed))
    began = monotonic()
    answer = caller.ask("Withdraw", **COLD)
    assert monotonic() - began >= 0.3
    assert answer["error"] == []
    assert len(customer.withdrawals()) == 1


def test_an_answer_comes_in_drops(proxy, caller):
    proxy.on("WithdrawMethods", faults.dripping(0.3))
    began = monotonic()
    assert caller.ask("WithdrawMethods", asset="XBT")["result"][0]["method"] == "Bitcoin"
    assert monotonic() - began >= 0.3
    assert proxy.requests()[0].accepted


def test_a_request_that_was_given_up_comes_through_later(proxy, customer, caller):
    """What a fence is for: whoever hung up does not know that it is still on its way."""
    late = HeldBack()
    proxy.on("Withdraw", late)
    caller.connection.timeout = 0.3
    with pytest.raises(TimeoutError):
        caller.send("Withdraw", **COLD)
    caller.connection.close()
    assert late.arrived.is_set()
    assert customer.withdrawals() == []
    assert not proxy.requests("Withdraw")[0].executed
    late.let_go()
    assert len(customer.withdrawals()) == 1
    assert proxy.requests("Withdraw")[0].accepted


def test_a_later_nonce_fences_off_what_is_still_on_its_way(proxy, customer, caller):
    late = HeldBack()
    proxy.on("Withdraw", late)
    caller.connection.timeout = 0.3
    with pytest.raises(TimeoutError):
        caller.send("Withdraw", **COLD, nonce=10**15)
    caller.connection.close()
    caller.connection.timeout = 10
    assert caller.ask("WithdrawStatus", nonce=10**15 + 1) == {"error": [], "result": []}
    late.let_go()
    (request,) = proxy.executed("Withdraw")
    assert request.answer.read()["error"] == ["EAPI:Invalid nonce"]
    assert not request.accepted
    assert customer.withdrawals() == []


@pytest.mark.parametrize("executed", [True, False])
@pytest.mark.parametrize(
    "text", ["EService:Unavailable", "EGeneral:Internal error", "EAPI:Rate limit exceeded", "EService: Throttled: 17"]
)
def test_the_exchange_words_an_error(proxy, customer, caller, text, executed):
    proxy.on("Withdraw", faults.error(text, executed=executed))
    assert caller.ask("Withdraw", **COLD) == {"error": [text]}
    assert len(customer.withdrawals()) == executed
    proxy.all_is_well()
    proxy.on(None, faults.error("WGeneral:Warning", result={"refid": "A"}))
    assert caller.ask("Withdraw", **COLD) == {"error": ["WGeneral:Warning"], "result": {"refid": "A"}}
    assert len(customer.withdrawals()) == executed


def test_an_answer_has_another_shape(proxy, customer, caller):
    for body, said in (([], b"[]"), ({"error": None}, b'{"error": null}'), (b"\xff\x00", b"\xff\x00"), (b"", b"")):
        proxy.on("Withdraw", faults.shape(body), times=1)
        assert caller.send("Withdraw", **COLD).read() == said
    assert customer.withdrawals() == []
    proxy.on("WithdrawMethods", faults.changed(lambda rows: [{**row, "fee_percentage": "1"} for row in rows]))
    assert caller.ask("WithdrawMethods", asset="XBT")["result"][0]["fee_percentage"] == "1"


def test_what_is_refused_before_it_is_looked_at(proxy, customer, caller):
    proxy.on("Withdraw", faults.wrong_nonce, times=1)
    proxy.on("Withdraw", faults.lockout, times=1)
    proxy.on("Withdraw", faults.redirect(302, "https://elsewhere.example.test/0/private/Withdraw"), times=1)
    assert caller.ask("Withdraw", **COLD)["error"] == ["EAPI:Invalid nonce"]
    assert caller.ask("Withdraw", **COLD)["error"] == ["EGeneral:Temporary lockout"]
    answer = caller.send("Withdraw", **COLD)
    assert (answer.status, answer.headers["Location"][:28]) == (302, "https://elsewhere.example.te")
    answer.read()
    assert proxy.executed() == []
    assert customer.withdrawals() == []


def test_a_plan_names_which_call_it_is(proxy, caller):
    proxy.on("WithdrawStatus", faults.wrong_nonce, nth=2)
    proxy.on("WithdrawStatus", faults.lockout, times=2)
    errors = [caller.ask("WithdrawStatus")["error"] for _ in range(4)]
    assert errors == [["EGeneral:Temporary lockout"], ["EAPI:Invalid nonce"], ["EGeneral:Temporary lockout"], []]
    assert [each.nth for each in proxy.requests()] == [1, 2, 3, 4]
    proxy.forget()
    assert proxy.requests() == []
    proxy.whenever(lambda request: faults.lockout if request.fields.get("asset") == "ETH" else None)
    proxy.on("WithdrawMethods", faults.wrong_nonce)
    assert caller.ask("WithdrawMethods", asset="ETH")["error"] == ["EGeneral:Temporary lockout"]
    assert caller.ask("WithdrawMethods", asset="XBT")["error"] == ["EAPI:Invalid nonce"]
    proxy.all_is_well()
    assert caller.ask("WithdrawMethods", asset="ETH")["error"] == []
    assert [each.nth for each in proxy.requests()] == [1, 2, 3]


def test_nothing_listens_and_then_it_does_again(proxy, caller):
    assert caller.ask("WithdrawStatus")["error"] == []
    with proxy.away():
        with pytest.raises(ENDED):
            caller.send("WithdrawStatus")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", proxy.port), timeout=5)
    caller.connection.close()
    assert caller.ask("WithdrawStatus")["error"] == []


def test_many_connections_at_once_are_told_apart(proxy, upstream):
    callers = [Caller(proxy, upstream.customer()) for _ in range(4)]
    for kind in ("Withdraw", "WithdrawStatus"):
        proxy.on(kind, faults.error("EService:Busy"), nth=7)

    def work(caller: Caller) -> list[bool]:
        with closing(caller.connection):
            kinds = ("Withdraw", "WithdrawStatus") * 5
            return [caller.ask(kind, **COLD)["error"] == [] for kind in kinds]

    with ThreadPoolExecutor(4) as pool:
        worked = [each for answers in pool.map(work, callers) for each in answers]
    assert worked.count(False) == 2
    assert sorted(each.nth for each in proxy.requests("Withdraw")) == list(range(1, 21))
    assert len(proxy.accepted("Withdraw")) == 19


def test_a_proxy_that_ends_holds_nobody(proxy, customer):
    caller = Caller(proxy, customer)
    proxy.on("WithdrawStatus", faults.slow(60, until=Event()))
    ended: list[bool] = []

    def wait() -> None:
        try:
            caller.send("WithdrawStatus").read()
        except (OSError, BadStatusLine):
            ended.append(True)

    thread = Thread(target=wait)
    thread.start()
    while not proxy.executed("WithdrawStatus"):
        thread.join(0.01)
    began = monotonic()
    proxy.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert monotonic() - began < 5
