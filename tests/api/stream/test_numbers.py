"""Numbers and times in frames."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.api.stream.numbers import at, at_nanosecond, number


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value="-1e30", max_value="1e30", places=18))
def test_a_number_is_the_amount_to_its_last_digit(amount):
    text = msgspec.json.encode([number(amount)])[1:-1].decode()
    assert Decimal(text) == amount
    assert "e" not in text.lower()
    assert "." not in text or text[-1] not in "0."


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "0"), ("0.0000", "0"), ("-0.00", "0"), ("0E-10", "0"), ("0E+3", "0"),
        ("1E+3", "1000"), ("1E-8", "0.00000001"), ("64000.0", "64000"), ("-2679.90", "-2679.9"), ("100", "100"),
    ],
)  # fmt: skip
def test_a_number_is_spelt_plainly(amount, text):
    assert bytes(number(Decimal(amount))).decode() == text


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity"])
def test_what_json_has_no_number_for_is_not_written(amount):
    with pytest.raises(ValueError, match="JSON"):
        number(Decimal(amount))


def test_times_are_told_in_utc_to_the_digit():
    when = datetime(2026, 9, 10, 19, 33, 0, 1200, tzinfo=timezone(timedelta(hours=2)))
    assert at(when) == "2026-09-10T17:33:00.001200Z"
    assert at_nanosecond(when) == "2026-09-10T17:33:00.001200000Z"
    assert at(datetime(2026, 9, 10, tzinfo=UTC)) == "2026-09-10T00:00:00.000000Z"
