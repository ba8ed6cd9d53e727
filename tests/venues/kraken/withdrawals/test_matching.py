"""Which row of the exchange's list could be what was sent: by name, amount, time, and nobody else's reference."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.venues.kraken.withdrawals.matching import Sought, candidates, listed, plain_asset
from tests.venues.kraken.reading import recorded

AT = datetime(2026, 11, 2, 12, 0, 0, tzinfo=UTC)
SENT = Sought(asset="XXBT", key="btc-cold", address="bc1qcold", amount=Decimal("1.25"), since=AT)


def row(**other):
    fields = {
        "method": "Bitcoin", "aclass": "currency", "asset": "XXBT", "refid": "R1", "txid": None, "info": "bc1qcold",
        "amount": "1.24990000", "fee": "0.00010000", "time": int(AT.timestamp()), "status": "Initial",
        "key": "btc-cold",
    }  # fmt: skip
    return {**fields, **other}


def matches(*rows, known=()) -> list[str]:
    return [each.refid for each in candidates(SENT, [found for found in map(listed, rows) if found], known=known)]


def test_what_arrives_and_what_was_taken_is_what_was_sent():
    assert matches(row()) == ["R1"]


@pytest.mark.parametrize(
    "other",
    [
        {"amount": "1.25", "fee": "0.0001"},
        {"amount": "1.2499", "fee": "0"},
        {"amount": "1.24990001"},
        {"key": "btc-other"},
        {"key": "", "info": "bc1qother"},
        {"asset": "XETH"},
        {"time": int(AT.timestamp()) - 121},
        {"refid": ""},
    ],
)
def test_what_it_cannot_be(other):
    assert matches(row(**other)) == []


@pytest.mark.parametrize(
    "other",
    [
        {"amount": "1.25", "fee": "0"},
        {"amount": 1.2499, "fee": 0.0001},
        {"asset": "XBT"},
        {"key": None},
        {"key": ""},
        {"time": int(AT.timestamp()) - 120},
        {"time": int(AT.timestamp()) + 10**6},
        {"status": "Failure", "status-prop": "canceled"},
        {"unheard": {"of": [1]}},
    ],
)
def test_what_it_can_be(other):
    assert matches(row(**other)) == ["R1"]


@pytest.mark.parametrize(
    "other",
    [{"amount": "much"}, {"amount": None, "fee": "NaN"}, {"time": "soon"}, {"time": None}, {"time": 1e300},
     {"amount": []}, {"fee": {}}],
)  # fmt: skip
def test_a_row_of_another_shape_is_nobodys(other):
    assert listed(row(**other)) is None


@pytest.mark.parametrize("missing", ["refid", "asset", "amount", "time"])
def test_a_row_without_what_it_is_known_by_is_nobodys(missing):
    assert listed({name: value for name, value in row().items() if name != missing}) is None


@recorded.needed
def test_what_the_real_exchange_answered_reads_as_what_left():
    """Its `amount` is what arrives: together with the fee it is what its WithdrawInfo was asked for."""
    first, second = (listed(each) for each in json.loads(recorded.answer("GetWithdrawalStatus"))["result"])
    assert first is not None
    assert second is not None
    assert (first.gross, first.status, first.status_prop) == (Decimal("0.72505"), "Pending", "")
    assert (second.gross, second.status, second.status_prop) == (Decimal("0.72505"), "Failure", "canceled")


@pytest.mark.parametrize(("name", "plain"), [("XXBT", "XBT"), ("ZUSD", "USD"), ("XBT", "XBT"), ("USDC", "USDC"),
                                             ("SOL", "SOL"), ("XTZ", "XTZ"), ("ZRX", "ZRX")])  # fmt: skip
def test_both_spellings_of_an_asset_are_one(name, plain):
    assert plain_asset(name) == plain


ROWS = st.lists(
    st.builds(
        lambda refid, units, fee, key, seconds: row(
            refid=f"R{refid}",
            amount=str(Decimal(units).scaleb(-8)),
            fee=str(Decimal(fee).scaleb(-8)),
            key=key,
            time=int(AT.timestamp()) + seconds,
        ),
        st.integers(0, 8),
        st.sampled_from([124_990_000, 125_000_000, 124_989_999]),
        st.sampled_from([0, 10_000, 10_001]),
        st.sampled_from(["btc-cold", "btc-other"]),
        st.integers(-300, 300),
    ),
    max_size=12,
)


@given(rows=ROWS, known=st.sets(st.integers(0, 8).map(lambda number: f"R{number}")))
def test_whatever_is_listed_only_what_could_be_it_is_taken_and_nothing_of_it_is_left_out(rows, known):
    found = matches(*rows, known=known)
    right = [
        each["refid"]
        for each in rows
        if each["refid"] not in known
        and each["key"] == "btc-cold"
        and Decimal(each["amount"]) + Decimal(each["fee"]) == Decimal("1.25")
        and each["time"] >= AT.timestamp() - timedelta(minutes=2).total_seconds()
    ]
    assert found == right


@given(rows=ROWS, order=st.randoms())
def test_the_order_of_the_list_decides_nothing(rows, order):
    mixed = rows[:]
    order.shuffle(mixed)
    assert sorted(matches(*rows)) == sorted(matches(*mixed))
