"""Whatever comes as an answer: it is told exactly, or said to be of another shape; nothing else happens."""

import json
from contextlib import suppress
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.venues.kraken.reading import balances, deposits, earn, ledger, names, orders, shapes, trades
from portal.venues.kraken.reading.names import Names
from portal.venues.kraken.reading.shapes import OtherShape
from portal.venues.kraken.reading.snapshots import decoded
from tests.venues.kraken.reading import recorded
from tests.venues.kraken.reading.conftest import ASSETS, PAIRS

ORDER = {
    "refid": None, "userref": 0, "status": "open", "opentm": 1688666559.8974, "starttm": 0, "expiretm": 0,
    "descr": {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "30010.0", "order": "buy 1 XBTUSD"},
    "vol": "1.25", "vol_exec": "0.375", "cost": "11253.7", "fee": "0.0", "price": "30010.0", "oflags": "fciq",
}  # fmt: skip
TRADE = {
    "ordertxid": "OQCLML-BW3P3-BUCMWZ", "pair": "XXBTZUSD", "time": 1688667796.8802, "type": "buy",
    "ordertype": "limit", "price": "30010.0", "cost": "600.2", "fee": "0.0", "vol": "0.02", "trade_id": 1,
    "maker": True,
}  # fmt: skip
MOVEMENT = {
    "refid": "TJKLXF-PGMUI-4NTLXU", "time": 1688464484.1787, "type": "trade", "subtype": "", "asset": "ZGBP",
    "amount": "-24.5", "fee": "0.049", "balance": "459567.9171",
}  # fmt: skip
DEPOSIT = {
    "method": "Bitcoin", "asset": "XXBT", "refid": "FTQcuak", "txid": "65", "info": "2M", "amount": "0.78", "fee": "0",
    "time": 1688992722, "status": "Success", "status-prop": "return",
}  # fmt: skip
LENT = {
    "strategy_id": "ESDQCOL-WTZEU-NU55QF", "native_asset": "ETH",
    "amount_allocated": {
        "total": {"native": "0.021", "converted": "39"},
        "bonding": {"native": "0.021", "allocations": [
            {"native": "0.021", "created_at": "2023-07-06T10:52:05Z", "expires": "2023-08-19T02:34:05Z"},
        ]},
        "pending": {"native": "-0.001"},
    },
    "total_rewarded": {"native": "0", "converted": "0"},
    "payout": {
        "period_start": "2023-07-06T10:52:05Z", "period_end": "2023-07-13T10:52:05Z",
        "accumulated_reward": {"native": "0.0001"}, "estimated_reward": {"native": "0.0003"},
    },
}  # fmt: skip
OFFERED = {
    "id": "ESRFUO3-Q62XD-WIOIL7", "asset": "DOT", "lock_type": {"type": "instant", "payout_frequency": 604800},
    "apr_estimate": {"low": "8.0", "high": "12.0"}, "user_min_allocation": "0.01",
}  # fmt: skip
# How each answer is read, and what it looks like when it is as it should be.
READ = {
    "BalanceEx": (
        balances._holdings,
        {"ZUSD": {"balance": "1.5", "hold_trade": "1", "credit": "1", "credit_used": "0"}},
    ),
    "TradeBalance": (balances._worth, {"eb": "1101.3425", "mf": "375.1678", "uv": "0"}),
    "Ledgers": (ledger._rows, {"ledger": {"L4UESK-KG3EQ-UFO4T5": MOVEMENT}, "count": 1}),
    "OpenOrders": (orders._open_rows, {"open": {"OQCLML-BW3P3-BUCMWZ": ORDER}}),
    "ClosedOrders": (orders._closed_rows, {"closed": {"OQCLML-BW3P3-BUCMWZ": {**ORDER, "closetm": 1688666560}}}),
    "TradesHistory": (trades._rows, {"trades": {"THVRQM-33VKH-UCI7BS": TRADE}, "count": 1}),
    "DepositStatus": (deposits._page, {"deposit": [DEPOSIT], "next_cursor": "2"}),
    "DepositAddresses": (deposits._addresses, [{"address": "2N9", "expiretm": "0", "new": True, "tag": "1"}]),
    "Earn/Allocations": (earn._items, {"items": [LENT]}),
    "Earn/Strategies": (earn._offered, {"items": [OFFERED]}),
}
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**17, max_value=10**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(["", "NaN", "-Infinity", "1e400", "-1e-400", "1_000", "\0", "9" * 39, "None", "0x10", "٣"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def method_of(name):
    return recorded.path(name).split("/", 3)[3]


def spots(value, path=()):
    """Every place in an answer, the whole of it first."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in items:
        yield from spots(each, (*path, name))


def without(value, path, instead):
    """The answer with something else in one place; nothing at all for `...`."""
    if not path:
        return instead if instead is not ... else None
    copied = dict(value) if isinstance(value, dict) else list(value)
    if len(path) == 1 and instead is ... and isinstance(copied, dict):
        del copied[path[0]]
    else:
        copied[path[0]] = without(value[path[0]], path[1:], instead)
    return copied


@pytest.mark.parametrize("method", READ)
def test_each_of_these_is_read(method):
    read, answer = READ[method]
    assert read(decoded(json.dumps(answer)))


@pytest.mark.parametrize("method", READ)
@given(data=st.data())
def test_an_answer_that_is_odd_somewhere_is_read_or_said_to_be_odd(method, data):
    read, answer = READ[method]
    place = data.draw(st.sampled_from(list(spots(answer))))
    odd = without(answer, place, data.draw(st.one_of(st.just(...), ODD)))
    with suppress(OtherShape):
        read(decoded(msgspec.json.encode(odd).decode()))


@given(data=st.data())
def test_odd_rows_of_the_catalogue_take_no_other_row_with_them(data):
    assets, pairs = {"ADA": {"altname": "ADA", "decimals": 8}, **ASSETS}, {"XXBTZEUR": PAIRS["XXBTZUSD"], **PAIRS}
    odd = st.one_of(st.just(...), ODD)
    place = data.draw(st.sampled_from(list(spots(assets["ADA"]))))
    assets["ADA"] = without(assets["ADA"], place, data.draw(odd))
    place = data.draw(st.sampled_from(list(spots(pairs["XXBTZEUR"]))))
    pairs["XXBTZEUR"] = without(pairs["XXBTZEUR"], place, data.draw(odd))
    said = [decoded(msgspec.json.encode(each).decode()) for each in (assets, pairs)]
    found = names.named([said[0]], [said[1]])
    assert found.by_name["BTC"].id == "XXBT"
    assert found.pair_by_name["XXBTZUSD"].base.code == "BTC"
    for row in found.rows.values():
        with suppress(OtherShape):
            names.schedule(row)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=10, min_value=-(10**12), max_value=10**12))
def test_numbers_keep_their_digits(value):
    assert shapes.exact(str(value)) == value
    assert shapes.exact(f"{value:f}") == value
    assert shapes.places(shapes.exact(f"{value:f}")) == 10


@pytest.mark.parametrize(
    ("name", "amounts", "code", "decimals"),
    [
        ("XXBT", ["1.5"], "BTC", 10),
        ("xbt", ["1.5"], "BTC", 10),
        ("XBT.F", ["1"], "BTC.F", 10),
        ("XXDG", ["1.00"], "DOGE", 8),
        # More digits than it has are all shown, zeros at the end are none.
        ("ZUSD", ["1.23456"], "USD", 5),
        ("ZUSD", ["1.2300000"], "USD", 4),
        # Nobody knows it: by its own name, with the digits that came.
        ("NEW.S", ["1.500", "2"], "NEW.S", 3),
        ("FINE", ["0.000000000000000001"], "FINE", 18),
    ],
)
def test_an_asset_is_shown_whoever_knows_it(name, amounts, code, decimals):
    found = names.named([ASSETS], [PAIRS]).asset(name, *map(Decimal, amounts))
    assert (found.code, found.decimals) == (code, decimals)


def test_an_unknown_pair_is_shown_by_its_name():
    assert Names().pair("SUIUSD").wsname == "SUIUSD"


@recorded.needed
@pytest.mark.parametrize("name", [name for name in recorded.names() if method_of(name) in READ])
@given(data=st.data())
def test_recorded_answers_with_anything_else_in_one_place(name, data):
    """Not only what a test wrote: what the exchange said."""
    method = method_of(name)
    answer = json.loads(recorded.answer(name))["result"]
    place = data.draw(st.sampled_from(list(spots(answer))))
    odd = without(answer, place, data.draw(st.one_of(st.just(...), ODD)))
    with suppress(OtherShape):
        READ[method][0](decoded(msgspec.json.encode(odd).decode()))
