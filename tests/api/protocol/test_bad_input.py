"""Bodies that no client would send: each its own protocol error, HTTP 200, nothing moved, nothing lost."""

import json
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.models import ChangeRequest
from portal.api import gateway
from portal.api.call import Call
from portal.api.protocol.envelope import Error
from tests.api.calls import FORM, Envelope, Wire, next_nonce, only_error

STRINGS = {error.value for error in Error} - {Error.INTERNAL.value}
INVALID = "EGeneral:Invalid arguments"
METHODS = ["Balance", "Ledgers", "QueryLedgers", "Withdraw", "WithdrawStatus", "WithdrawCancel", "WithdrawInfo",
           "WithdrawMethods", "WithdrawAddresses"]  # fmt: skip
FIELDS = ["asset", "key", "amount", "address", "max_fee", "refid", "start", "end", "ofs", "limit", "cursor", "id",
          "type", "aclass", "method", "network", "verified", "without_count"]  # fmt: skip

text = st.text(st.characters(codec="utf-8"), max_size=30)
near = st.sampled_from(
    ["XBT", "btc-cold", "0.25", "1e-3", "true", "None", "", "-1", "NaN", "0x1", "all", "1" * 40, "'--"]
)
scalars = st.one_of(text, near, st.booleans(), st.none(), st.integers(), st.floats(allow_nan=False))
values = st.one_of(scalars, st.lists(scalars, max_size=3), st.dictionaries(text, scalars, max_size=2))
fuzz = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM, b"nonce=%s&nonce=%s"),
        (FORM, b"nonce=%s&amount=1&amount=2"),
        (FORM, b"nonce=%s&key=a%%00b"),
        (FORM, b"nonce=%s&key=a%%0ab"),
        (FORM, b"nonce=%s&key=%%ff"),
        (FORM, b"nonce=%s&" + b"&".join(b"a%d=1" % number for number in range(100))),
        (FORM, b"\xff\xfe"),
        ("application/json", b'{"nonce":"%s","nonce":"%s"}'),
        ("application/json", b'{"nonce":"%s","amount":NaN}'),
        ("application/json", b'{"nonce":"%s"'),
        ("application/json", b'["%s"]'),
        ("application/json", b"nonce=%s"),
        ("text/plain", b"nonce=%s"),
        ("multipart/form-data", b"nonce=%s"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_before_the_key_is_looked_at(content_type, body):
    """AP-4, IN-1, IN-6: unreadable bodies come first in the order of checks; the database is not even asked."""
    body = body.replace(b"%s", str(next_nonce()).encode()).replace(b"%%", b"%")
    for key in ("A" * 56, "", "x"):
        call = Call("POST", "/0/private/Withdraw", "", body, content_type, key, "x", "192.0.2.1", is_secure=True)
        assert json.loads(gateway.answer(call).body) == {"error": [INVALID]}


@pytest.mark.django_db
def test_the_largest_body_is_read_and_one_byte_more_is_not(treasury, settings):
    """IN-1: body boundary and boundary + 1."""
    nonce = str(next_nonce())
    start = f"nonce={nonce}".encode()
    filler = b"".join(b"&a%d=%s" % (number, b"x" * 4000) for number in range(65))
    body = start + filler + b"&z=" + b"x" * (settings.API_BODY_LIMIT - len(start) - len(filler) - 3)
    assert len(body) == settings.API_BODY_LIMIT
    assert treasury.read(treasury.send("Balance", body, nonce=nonce))["error"] == []
    nonce = str(next_nonce())
    assert only_error(treasury.read(treasury.send("Balance", body + b"x", nonce=nonce))) == INVALID


@pytest.mark.django_db
@fuzz
@given(st.sampled_from(METHODS), st.dictionaries(st.sampled_from(FIELDS), st.one_of(text, near), max_size=6))
def test_forms_of_anything_move_nothing(treasury, method, fields):
    """AP-15: strings of the reference only, HTTP 200."""
    nonce = str(next_nonce())
    body = urlencode({"nonce": nonce, **fields}).encode()
    check(treasury, method, treasury.read(treasury.send(method, body, nonce=nonce)))


@pytest.mark.django_db
@fuzz
@given(st.sampled_from(METHODS), st.dictionaries(st.sampled_from(FIELDS), values, max_size=6))
def test_json_of_anything_moves_nothing(treasury, method, fields):
    nonce = str(next_nonce())
    body = json.dumps({"nonce": nonce, **fields}).encode()
    response = treasury.send(method, body, nonce=nonce, content_type="application/json")
    check(treasury, method, treasury.read(response))


@pytest.mark.django_db
@fuzz
@given(st.sampled_from([FORM, "application/json", ""]), st.binary(max_size=300))
def test_bytes_of_anything_move_nothing(treasury, content_type, body):
    response = treasury.send("Withdraw", body, nonce="", content_type=content_type)
    check(treasury, "Withdraw", treasury.read(response))


def check(wire: Wire, method: str, answer: Envelope) -> None:
    """Only the protocol's strings, and money that is all where it was, held or free."""
    assert set(answer["error"]) <= STRINGS
    if method == "Withdraw" and not answer["error"]:
        wire.result("WithdrawCancel", asset="XBT", refid=answer["result"]["refid"])
    assert wire.result("Balance")["XXBT"] == "12.4000000000"
    assert not ChangeRequest.objects.filter(state="executed", operation="treasury.withdraw").exists()
