"""Public calls, where the operator names an exchange: relayed, from a memory of a second."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from portal.api.limits import lockout
from portal.core.errors import Invalid
from portal.venues import registry
from portal.venues.kraken.relay import public_memory
from portal.venues.kraken.upstream.outcomes import AnswerLost
from tests.api.calls import ask_public
from tests.venues.kraken.conftest import answering

pytestmark = pytest.mark.django_db
BODY = b'{"error":[],"result":{"of":"the exchange", "last":1.50}}'


@pytest.fixture(autouse=True)
def _forgotten():
    public_memory.forget_all()
    lockout.forget_all()
    yield
    public_memory.forget_all()


@pytest.fixture
def now(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(public_memory, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    return clock


@pytest.fixture
def public(exchange, settings):
    settings.EXCHANGES, settings.PUBLIC_EXCHANGE = [f"Test={exchange.url}"], "Test"
    exchange.says = answering(BODY)
    return exchange


def told(method: str, query: str = "") -> bytes:
    answer = registry.relayed_publicly(method, query)
    assert answer is not None
    return answer.body


@pytest.mark.parametrize("method", ["Ticker", "OHLC", "GroupedBook", "Unheard"])
def test_what_the_exchange_answers_is_answered(public, method):
    """Also to methods that nobody here knows."""
    assert ask_public(method, pair="XBTUSD") == json.loads(BODY)
    assert public.asked == [(f"/0/public/{method}?pair=XBTUSD", {})]


def test_an_error_of_the_exchange_is_its_answer(public):
    public.says = answering(b'{"error":["EQuery:Unknown asset pair"]}')
    assert ask_public("Depth", pair="ABC") == {"error": ["EQuery:Unknown asset pair"]}


def test_without_a_public_exchange_the_paper_exchange_tells_its_prices(public, settings):
    settings.PUBLIC_EXCHANGE = ""
    assert ask_public("OHLC", pair="XBTUSD") == {"error": ["EGeneral:Unknown method"]}
    assert ask_public("Time")["error"] == []
    assert public.asked == []


def test_an_answer_is_good_for_a_second(public, now):
    for at, asked in ((0.0, 1), (0.999, 1), (1.0, 2), (1.5, 2), (2.5, 3)):
        now[0] = 100.0 + at
        assert told("Ticker", "pair=XBTUSD") == BODY
        assert len(public.asked) == asked
    registry.relayed_publicly("Ticker", "pair=ETHUSD")
    registry.relayed_publicly("Spread", "pair=XBTUSD")
    assert len(public.asked) == 5


def test_one_refresh_is_under_way_at_a_time(public):
    gate = threading.Event()

    def slowly(handler):
        gate.wait(5)
        answering(BODY)(handler)

    public.says = slowly
    with ThreadPoolExecutor(8) as threads:
        found = [threads.submit(told, "Ticker") for _ in range(8)]
        gate.set()
        assert {each.result() for each in found} == {BODY}
    assert len(public.asked) == 1


def test_while_the_exchange_says_nothing_nobody_waits_twice(public, now):
    public.says = answering(b"<html>", status=502)
    for _ in range(3):
        with pytest.raises(AnswerLost):
            public_memory.asked("Ticker", "")
    assert len(public.asked) == 1
    assert ask_public("Ticker") == {"error": ["EService:Unavailable"]}
    public.says = answering(BODY)
    now[0] += 1
    assert told("Ticker") == BODY


@pytest.mark.parametrize(
    ("method", "query"),
    [
        ("../private/Balance", ""),
        ("Ticker/..", ""),
        ("Ticker?x", ""),
        ("", ""),
        ("T" * 41, ""),
        ("Ticker", "pair=X Y"),
        ("Ticker", "a\r\nHost: b"),
        ("Ticker", "a#b"),
        ("Ticker", "\u00fc"),
        ("Ticker", "x" * 2_001),
    ],
)
def test_what_is_no_call_of_a_public_method_goes_nowhere(public, method, query):
    with pytest.raises(Invalid):
        public_memory.asked(method, query)
    assert public.asked == []


def test_the_memory_is_bounded(public, monkeypatch):
    monkeypatch.setattr(public_memory, "MOST_QUERIES", 5)
    for number in range(20):
        public_memory.asked("Ticker", f"pair={number}")
    assert len(public_memory._kept) == 5
    monkeypatch.setattr(public_memory, "MOST_BYTES", 2 * len(BODY))
    for number in range(20):
        public_memory.asked("Depth", f"pair={number}")
    assert public_memory._bytes() <= 3 * len(BODY)
