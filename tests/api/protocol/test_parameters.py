"""Reading what a call says: bodies, and the kinds of values that methods declare."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.api import methods
from portal.api.protocol.envelope import ApiError, Error
from portal.api.protocol.instants import Bound, Instant, Later, Moment
from portal.api.protocol.parameter_types import Amount, Choice, Cursor, Flag, Kind, Names, Size, Text, Whole
from portal.api.protocol.parameters import absent, declared, needed, optional, read
from portal.api.protocol.request_body import FORM, JSON_BODY, LISTS, Fields, parse
from portal.core.errors import Invalid

KINDS: list[Kind[object]] = [
    Text(), Flag(), Choice(("a",)), Names(), Whole(0, 9), Amount(), Size(), Instant(), Bound(), Cursor(), Later(),
    Moment(),
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One parameter of each way to be named."""

    ofs: int = optional(Whole(0, 100), 7, "A number.")
    key: str = needed(Text(), "A name.")
    side: str | None = absent(Choice(("buy", "sell")), "Which way.", name="type")


def form(text: str) -> Fields:
    return parse(FORM, text.encode())


def as_json(value: object) -> Fields:
    return parse(JSON_BODY, json.dumps(value).encode())


def value(kind: Kind[object], fields: Fields) -> object:
    """What the field `f` says, read as that kind."""
    return kind.read(fields.value("f"))


def text_refused(kind: Kind[object], text: str) -> bool:
    try:
        value(kind, form(f"f={text}"))
    except ApiError as refusal:
        return refusal.error is Error.INVALID_ARGUMENTS
    return False


def is_refused(media_type: str, body: bytes) -> bool:
    try:
        parse(media_type, body)
    except ApiError as refusal:
        return refusal.error is Error.INVALID_ARGUMENTS
    return False


def test_forms_are_decoded():
    fields = form("nonce=1&key=cold+store%2B1&note=%C3%A9&empty=")
    assert fields.nonce == "1"
    assert fields.value("key") == "cold store+1"
    assert fields.value("note") == "é"
    assert fields.value("empty") is None


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
    ("text", "meaning"), [("true", True), ("True", True), ("1", True), ("False", False), ("FALSE", False), ("0", False)]
)
def test_flags_in_every_spelling_of_the_clients(text, meaning):
    assert value(Flag(), form(f"f={text}")) is meaning
    assert value(Flag(), as_json({"f": meaning})) is meaning
    for wrong in ("yes", "2", "truee", " true"):
        assert text_refused(Flag(), wrong)


@pytest.mark.parametrize(
    "body", ["asset=XBT,ETH", "asset=XBT&asset=ETH", "asset[0]=XBT&asset[1]=ETH", "asset=XBT,+ETH,"]
)
def test_lists_in_every_spelling_of_the_clients(body):
    assert Names().read(form(body).value("asset")) == ("XBT", "ETH")
    assert Names().read(as_json({"asset": ["XBT", "ETH"]}).value("asset")) == ("XBT", "ETH")


def test_a_list_is_no_text_and_holds_only_texts_and_not_too_many():
    for kind, wrong in (
        (Text(), ["A", "B"]),
        (Names(), ["A", None]),
        (Names(), {"a": "b"}),
        (Names(most=1), ["A", "B"]),
        (Names(), []),
        (Names(words=("A",)), ["B"]),
    ):
        with pytest.raises(ApiError):
            value(kind, as_json({"f": wrong}))


def test_amounts_of_json_numbers_never_pass_through_a_float():
    """IN-2: the API takes JSON numbers and exponents, exactly."""
    assert value(Amount(), parse(JSON_BODY, b'{"f":0.100000000000000005}')) == Decimal("0.100000000000000005")
    assert value(Amount(), parse(JSON_BODY, b'{"f":1e-05}')) == Decimal("0.00001")
    assert value(Amount(), form("f=1e-05")) == Decimal("0.00001")


@pytest.mark.parametrize(
    "text",
    ["-1", "%2B1", "0", "0.0", "-0", "1_000", "1,5", " 1", "1 ", "\u0661", "NaN", "Infinity", "1e", "1e100", "0x1",
     ".", "..5", ".e1", "1.2.3", "1" * 21, "0." + "1" * 19, "1" * 41],
)  # fmt: skip
def test_amounts_that_are_none_are_refused(text):
    """IN-2: the list."""
    with pytest.raises(Invalid):
        value(Amount(), form(f"f={text}"))
    assert text_refused(Size(), text) is (text not in ("0", "0.0"))


def test_instants_are_unix_seconds():
    assert value(Instant(), form("f=1616492376")) == datetime(2021, 3, 23, 9, 39, 36, tzinfo=UTC)
    assert value(Instant(), form("f=1616492376.123456")) == datetime(2021, 3, 23, 9, 39, 36, 123456, tzinfo=UTC)
    for text in ("-1", "1616492376594", "999999999999", "now", "1e9", "1.", "²"):
        assert text_refused(Instant(), text)


def test_times_to_come():
    assert value(Later(), form("f=0")) is None
    assert value(Later(), form("f=%2B30")) == timedelta(seconds=30)
    assert value(Later(), form("f=1616492376")) == datetime(2021, 3, 23, 9, 39, 36, tzinfo=UTC)
    assert value(Moment(), form("f=2021-03-23T09:39:36Z")) == datetime(2021, 3, 23, 9, 39, 36, tzinfo=UTC)
    for text in ("%2B", "%2B-1", "-5", "tomorrow"):
        assert text_refused(Later(), text)
    for text in ("2021-03-23T09:39:36", "now", "1616492376"):
        assert text_refused(Moment(), text)


def test_a_cursor_asks_for_the_first_page_or_names_one():
    assert value(Cursor(), form("f=True")) is True
    assert value(Cursor(), form("f=false")) is False
    assert value(Cursor(), form("f=abc")) == "abc"
    assert value(Bound(), form("f=LABC-1")) == "LABC-1"


def test_whole_numbers_have_bounds():
    assert value(Whole(0, 100), form("f=50")) == 50
    assert value(Whole(-9, 9), form("f=-5")) == -5
    for text in ("-1", "101", "1.0", "1e1", "9" * 30):
        assert text_refused(Whole(0, 100), text)


def test_a_method_reads_what_it_declared_and_nothing_else():
    assert read(Sample, form("key=a&ofs=None&other=x&type=buy")) == Sample(ofs=7, key="a", side="buy")
    for wrong in ("ofs=1", "key=", "key=None", "key=a&type=hold", "key=a&ofs=101"):
        with pytest.raises(ApiError):
            read(Sample, form(wrong))


@pytest.mark.parametrize("method", [*methods.PUBLIC, *methods.PRIVATE])
def test_every_parameter_says_what_it_is_and_a_list_may_be_repeated(method):
    served = methods.PUBLIC.get(method) or methods.PRIVATE[method]
    for each in declared(served.parameters):
        assert each.text.endswith(".")
        assert each.name not in ("nonce", "otp")
        if isinstance(each.kind, Names):
            assert each.name in LISTS


@given(st.binary(max_size=200), st.sampled_from([FORM, JSON_BODY, ""]))
def test_no_body_does_anything_but_parse_or_be_refused(body, media_type):
    is_refused(media_type, body)


@given(st.sampled_from(KINDS), st.text(max_size=50) | st.booleans() | st.lists(st.text(max_size=3), max_size=3))
def test_no_kind_does_anything_but_read_or_refuse(kind, given_value):
    """AP-15: whatever is sent, a value or one of the two refusals."""
    try:
        kind.read(given_value)
    except (ApiError, Invalid):
        return
