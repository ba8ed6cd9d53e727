"""Reading what a call says."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.api.envelope import ApiError, Error
from portal.api.parameters import FORM, JSON_BODY, Parameters, parse
from portal.core.errors import Invalid


def form(text: str) -> Parameters:
    return parse(FORM, text.encode())


def as_json(value: object) -> Parameters:
    return parse(JSON_BODY, json.dumps(value).encode())


def is_refused(media_type: str, body: bytes) -> bool:
    try:
        parse(media_type, body)
    except ApiError as refusal:
        return refusal.error is Error.INVALID_ARGUMENTS
    return False


def test_forms_are_decoded():
    fields = form("nonce=1&key=cold+store%2B1&note=%C3%A9&empty=")
    assert fields.nonce == "1"
    assert fields.text("key") == "cold store+1"
    assert fields.text("note") == "é"
    assert not fields.has("empty")


def test_the_nonce_is_the_text_that_was_sent():
    """AP-4: the nonce signed is the nonce checked."""
    assert form("nonce=0012").nonce == "0012"
    assert as_json({"nonce": "12"}).nonce == as_json({"nonce": 12}).nonce == "12"
    assert parse(JSON_BODY, b'{"nonce":18446744073709551615}').nonce == "18446744073709551615"
    assert parse(JSON_BODY, b'{"nonce":1.50}').nonce == "1.50"
    assert parse(JSON_BODY, b'{"nonce":1E3}').nonce == "1E3"
    for strange in (None, True, [1], {"a": "1"}):
        assert as_json({"nonce": strange}).nonce == ""


@pytest.mark.parametrize(
    "body",
    ["nonce=1&nonce=2", "nonce=1&nonce=1", "nonce=1&key=a&key=b", "a=1&%61=2", "nonce", "=&a", "a=%zz", "a=%", "a=%ff",
     "a=%00", "a=%0a", "a[0]=1&a[0]=2", "asset[0]=A&asset=B", "asset[0]=A&asset[0]=B", "a=" + "x" * 4097,
     "a" * 65 + "=1", "a=%C2%85", "&".join(f"a{n}=1" for n in range(101))],
)  # fmt: skip
def test_forms_that_can_mean_two_things_or_none_are_refused(body):
    """AP-4, IN-1: fields named twice, broken escapes, control characters, more than a hundred fields."""
    assert is_refused(FORM, body.encode())


def test_the_limits_themselves_are_allowed():
    """IN-1: each boundary."""
    assert not is_refused(FORM, "&".join(f"a{n}=1" for n in range(100)).encode())
    assert not is_refused(FORM, ("a" * 64 + "=" + "x" * 4096).encode())
    assert not is_refused(FORM, b"")
    assert not is_refused("", b"nonce=1&")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"1", b'"a"', b"null", b'{"a":1,"a":2}', b'{"a":{"b":1,"b":2}}', b'{"a":NaN}', b'{"a":Infinity}',
     b'{"a":-Infinity}', b'{"a":"\\u0000"}', b'{"a":"\\ud800"}', b'{"a\\n":1}', b"\xef\xbb\xbf{}", b'{"a":"\xff"}',
     b'{"a":' + b"[" * 5 + b"]" * 5 + b"}", b"[" * 100_000, b'{"a":' * 100_000, b'{"a":' + b"1" * 5000 + b"}",
     b'{"a":[' + b"1," * 100 + b"1]}", b"{}{}", "{\"a\":1,\"\u00e9\":1,\"e\u0301\":2}".encode()],
)  # fmt: skip
def test_json_that_is_no_plain_object_is_refused(body):
    """IN-6: object at top, depth and size limited, duplicate keys refused, no NaN."""
    assert is_refused(JSON_BODY, body)


@pytest.mark.parametrize("media_type", ["text/plain", "multipart/form-data", "application/xml", "application/jsonp"])
def test_other_media_types_have_no_parser(media_type):
    """AP-3: a closed set of content types."""
    assert is_refused(media_type, b"nonce=1")


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("True", True), ("1", True), ("False", False), ("FALSE", False), ("0", False)]
)
def test_flags_in_every_spelling_of_the_clients(text, value):
    assert form(f"f={text}").flag("f") is value
    assert as_json({"f": value}).flag("f") is value


def test_absent_flags_take_the_default_and_others_are_refused():
    assert form("").flag("f", default=True) is True
    assert form("f=None").flag("f") is False
    for text in ("yes", "2", "truee", " true"):
        with pytest.raises(ApiError):
            form(f"f={text}").flag("f")


@pytest.mark.parametrize(
    "body", ["asset=XBT,ETH", "asset=XBT&asset=ETH", "asset[0]=XBT&asset[1]=ETH", "asset=XBT,+ETH,"]
)
def test_lists_in_every_spelling_of_the_clients(body):
    assert form(body).names("asset") == ("XBT", "ETH")
    assert as_json({"asset": ["XBT", "ETH"]}).names("asset") == ("XBT", "ETH")


def test_a_list_is_no_text_and_holds_only_texts():
    with pytest.raises(ApiError):
        form("asset=A&asset=B").text("asset")
    with pytest.raises(ApiError):
        as_json({"asset": ["A", None]}).names("asset")
    with pytest.raises(ApiError):
        as_json({"asset": {"a": "b"}}).names("asset")


def test_amounts_of_json_numbers_never_pass_through_a_float():
    """IN-2: the API takes JSON numbers and exponents, exactly."""
    assert parse(JSON_BODY, b'{"amount":0.100000000000000005}').amount("amount") == Decimal("0.100000000000000005")
    assert parse(JSON_BODY, b'{"amount":1e-05}').amount("amount") == Decimal("0.00001")
    assert form("amount=1e-05").amount("amount") == Decimal("0.00001")


@pytest.mark.parametrize(
    "text",
    ["-1", "%2B1", "0", "0.0", "-0", "1_000", "1,5", " 1", "1 ", "\u0661", "NaN", "Infinity", "1e", "1e100", "0x1",
     "1.", ".5", "1" * 21, "0." + "1" * 19, "1" * 41],
)  # fmt: skip
def test_amounts_that_are_none_are_refused(text):
    """IN-2: the list."""
    with pytest.raises(Invalid):
        form(f"amount={text}").amount("amount")


def test_instants_are_unix_seconds():
    assert form("start=1616492376").instant("start") == datetime(2021, 3, 23, 9, 39, 36, tzinfo=UTC)
    assert form("start=1616492376.123456").instant("start") == datetime(2021, 3, 23, 9, 39, 36, 123456, tzinfo=UTC)
    assert form("start=None").instant("start") is None
    for text in ("-1", "1616492376594", "999999999999", "now", "1e9", "1.", "²"):
        with pytest.raises(ApiError):
            form(f"start={text}").instant("start")


def test_whole_numbers_have_bounds():
    assert form("ofs=50").whole("ofs", default=0, lowest=0, highest=100) == 50
    for text in ("-1", "101", "1.0", "1e1", "9" * 30):
        with pytest.raises(ApiError):
            form(f"ofs={text}").whole("ofs", default=0, lowest=0, highest=100)


@given(st.binary(max_size=200), st.sampled_from([FORM, JSON_BODY, ""]))
def test_no_body_does_anything_but_parse_or_be_refused(body, media_type):
    is_refused(media_type, body)
