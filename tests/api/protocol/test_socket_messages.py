"""Fields of a message on a socket, decoded before: as bounded as those of a body, and the same to every method."""

import json
from decimal import Decimal

import pytest

from portal.api.protocol.envelope import ApiError, Error
from portal.api.protocol.request_body import JSON_BODY, of_message, parse
from portal.venues.relaying import Number


@pytest.mark.parametrize(
    "text",
    ["0.01", "1", "-7", "1e-5", "1E+5", "0", "0.00000000", "-0.0", "123456789012345678901234567890.5"],
)
def test_a_number_is_worth_what_it_is_worth_in_a_body(text):
    decoded = int(text) if text.lstrip("-").isdigit() else Decimal(text)
    by_message = of_message({"volume": decoded}).value("volume")
    by_body = parse(JSON_BODY, f'{{"volume": {text}}}'.encode()).value("volume")
    assert isinstance(by_message, Number)
    assert Decimal(str(by_message)) == Decimal(str(by_body))
    assert "E-8" not in by_message


@pytest.mark.parametrize(
    "given",
    [
        {"a": "text", "b": True, "c": None, "d": ["x", "y"], "e": {"f": {"g": "h"}}},
        {"a": "e\u0301"},
        {"a": "None", "b": ""},
    ],
)
def test_other_values_are_those_of_a_body(given):
    by_message, by_body = of_message(given), parse(JSON_BODY, json.dumps(given).encode())
    assert by_message.names == by_body.names
    assert [by_message.value(name) for name in given] == [by_body.value(name) for name in given]


@pytest.mark.parametrize(
    "given",
    [
        {"a\u0000": 1},
        {"a" * 65: 1},
        {"a": "\x1b"},
        {"a": "x" * 4097},
        {"a": ["x" * 4097]},
        {"a": 2**4000},
        {"a": Decimal("1" * 4097)},
        {"a": [[[[]]]]},
        {"a": {"b": {"c": {"d": {}}}}},
        {"a": [1] * 101},
        {str(number): 1 for number in range(101)},
        {"\u00e9": 1, "e\u0301": 2},
        {"a": 1.5},
        {"a": object()},
        {"a": {"\u0007": 1}},
    ],
)
def test_what_breaks_a_limit_is_refused(given):
    with pytest.raises(ApiError) as refused:
        of_message(given)
    assert refused.value.error is Error.INVALID_ARGUMENTS


@pytest.mark.parametrize("text", ["1e999999", "1e-999999", "NaN", "Infinity", "-1e101"])
def test_a_number_out_of_all_bounds_is_left_to_its_field(text):
    """It is never written out, however long that would be."""
    value = of_message({"a": Decimal(text)}).value("a")
    assert isinstance(value, str)
    assert len(value) < 20
