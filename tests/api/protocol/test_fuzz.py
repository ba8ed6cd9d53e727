"""Every parameter of every method, fuzzed from the portal's own description, with calls signed as they should be.

Whatever is sent: HTTP 200, an answer as described, none of it an internal error; and what is refused moved nothing.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import jsonschema_rs
import pytest
import schemathesis
from django.core.management import call_command
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from policies.models import ChangeRequest
from portal.api import methods
from portal.api.limits import lockout
from portal.api.openapi import document
from portal.api.protocol.parameters import declared
from portal.venues.paper.ledger.models import Posting
from tests.api.calls import FORM, Wire, next_nonce

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

OPENAPI = json.loads(json.dumps(document()))
DESCRIBED = schemathesis.openapi.from_dict(OPENAPI)
ANSWER = jsonschema_rs.validator_for({"$ref": "#/components/schemas/Answer", "components": OPENAPI["components"]})
MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
# Those are about other things than what a call says.
fuzz = settings(
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
    database=None,
)
# What means something here, so that a fuzzed call also gets beyond its first parameter.
NEAR = st.sampled_from([
    "XBT", "ETH", "USD", "XBTUSD", "BTC/USD", "buy", "sell", "limit", "market", "0.01", "1e-2", "60000", "10000.1", "0",
    "-1", "true", "False", "None", "", "GTC", "IOC", "post", "btc-cold", "Bitcoin", "all", "ledgers", "trades", "CSV",
    "+60", "1700000000", "1700000000000000000", "NaN", "Infinity", "9" * 40, "2026-11-26T12:00:00Z", "XBT,ETH",
    "\u202e",
    "OAAAAA-AAAAA-AAAAAA", "ESUSDFX-PAPER-000003", "'; DROP TABLE paper_order; --", "%00", "é", "1" * 300,
])  # fmt: skip
ANYTHING = st.one_of(
    NEAR,
    st.text(max_size=40),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
    st.lists(NEAR | st.none(), max_size=3),
    st.dictionaries(st.text(max_size=5), NEAR, max_size=2),
)


@pytest.fixture
def bot(treasury: Wire) -> Iterator[Wire]:
    """A bot with every permission; when its calls are done, the ledger adds up."""
    yield treasury
    call_command("checkledger", verbosity=0)
    lockout.forget_all()


def check(wire: Wire, method: str, response: Any) -> dict[str, Any] | None:
    """The answer as described, and an error that moved nothing."""
    assert response.status_code == 200
    if response.headers["Content-Type"] == "application/zip":
        assert method == "RetrieveExport"
        return None
    answer: dict[str, Any] = json.loads(response.content)
    ANSWER.validate(answer)
    assert answer["error"] != ["EGeneral:Internal error"], method
    return answer


def send(wire: Wire, method: str, fields: Any, media_type: str) -> Any:
    """Sign what was made up and send it; a fresh nonce takes the place of the one made up."""
    nonce = str(next_nonce())
    if isinstance(fields, dict):
        fields = {**fields, "nonce": nonce}
    if isinstance(fields, bytes):
        body = fields
    elif media_type == FORM:
        text = urlencode(fields, doseq=True, errors="replace") if isinstance(fields, dict) else repr(fields)
        body = text.encode(errors="replace")
    else:
        body = json.dumps(fields, default=repr).encode()
    return wire.send(method, body, nonce=nonce, content_type=media_type)


def moved() -> tuple[int, int]:
    """What grows when anything happens to money."""
    return Posting.objects.count(), ChangeRequest.objects.count()


def attempt(wire: Wire, method: str, fields: Any, media_type: str) -> None:
    before = moved()
    answer = check(wire, method, send(wire, method, fields, media_type))
    if answer is not None and answer["error"]:
        assert moved() == before


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("method", methods.PRIVATE)
def test_private_methods_as_described_and_otherwise(bot, method, mode):
    """AP-15, IN-2, IN-6: every parameter, in forms and JSON, as the description allows and as it forbids."""
    operation = DESCRIBED[f"/0/private/{method}"]["POST"]

    @settings(fuzz, max_examples=8)
    @given(operation.as_strategy(generation_mode=mode))
    def attempts(case: Any) -> None:
        attempt(bot, method, case.body, case.media_type or FORM)

    attempts()


@pytest.mark.parametrize("method", methods.PUBLIC)
def test_public_methods_as_described(bot, client, method):
    operation = DESCRIBED[f"/0/public/{method}"]["GET"]

    @settings(fuzz, max_examples=10)
    @given(operation.as_strategy())
    def attempts(case: Any) -> None:
        query = urlencode({name: "" if value is None else value for name, value in (case.query or {}).items()}, True)
        check(bot, method, client.get(f"/0/public/{method}?{query}", secure=True))

    attempts()


@pytest.mark.parametrize("method", methods.PRIVATE)
def test_private_methods_with_values_that_mean_something(bot, method):
    """AP-15: near misses of what is meant, so that every check behind the first is reached."""
    names = [each.name for each in declared(methods.PRIVATE[method].parameters)] or ["asset"]

    @settings(fuzz, max_examples=12)
    @given(st.dictionaries(st.sampled_from(names), ANYTHING, max_size=8), st.sampled_from([FORM, "application/json"]))
    def attempts(fields: dict[str, object], media_type: str) -> None:
        attempt(bot, method, fields, media_type)

    attempts()


@pytest.mark.parametrize("method", methods.PUBLIC)
def test_public_methods_with_values_that_mean_something(bot, client, method):
    names = [each.name for each in declared(methods.PUBLIC[method].parameters)] or ["pair"]

    @settings(fuzz, max_examples=12)
    @given(st.dictionaries(st.sampled_from(names), NEAR | st.text(max_size=30), max_size=4))
    def attempts(fields: dict[str, str]) -> None:
        query = urlencode(fields, errors="replace")
        check(bot, method, client.get(f"/0/public/{method}?{query}", secure=True))

    attempts()
