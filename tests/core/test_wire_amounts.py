"""Amounts as they stand on the wire, made of whole units without a Decimal; checked against one."""

import pytest

from portal.core.money import MAX_UNITS, from_units, wire

UNITS = [0, 1, 9, 10, 99, 100, 12_345, 10**9, 10**10 - 1, 10**10, 10**10 + 1, 123_456_789_012_345_678, MAX_UNITS]


@pytest.mark.parametrize("decimals", range(19))
def test_the_text_is_that_of_the_exact_amount(decimals):
    for units in [*UNITS, *(-units for units in UNITS)]:
        text = wire(units, decimals)
        assert text == f"{from_units(units, decimals):f}", (units, decimals)
        assert len(text.partition(".")[2]) == decimals
