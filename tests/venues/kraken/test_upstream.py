"""What comes back from an exchange, or does not: told apart by whether it may have been done."""

import gzip
import time

import pytest

from portal.venues.kraken.upstream import envelope, transport
from portal.venues.kraken.upstream.outcomes import AnswerLost, Meaning, NotSent, meaning
from tests.venues.kraken.conftest import answering

PATH = "/0/private/Balance"
WELL = b'{"error":[],"result":{"XXBT":"1.10","n":1.10,"new":{"kept":[1,null]}}}'


def ask(exchange, **given):
    return envelope.read(*transport.send(exchange.url, PATH, body=b"nonce=1", **given)[:2])


def test_an_answer_stays_as_it_came(exchange):
    exchange.says = answering(WELL)
    answer = ask(exchange)
    assert answer.body == WELL
    assert answer.result == WELL[len(b'{"error":[],"result":') : -1]
    assert answer.meaning is None
    assert str(answer.decoded()["n"]) == "1.10"


def test_a_packed_answer_is_unpacked(exchange):
    exchange.says = answering(gzip.compress(WELL), headers={"Content-Encoding": "gzip"})
    assert ask(exchange).body == WELL


def cut(handler):
    handler.connection.close()


def half(handler):
    answering(WELL[:20], headers={"Content-Length": str(len(WELL))})(handler)
    handler.close_connection = True


def broken_packing(handler):
    answering(gzip.compress(WELL)[:-12] + b"x" * 12, headers={"Content-Encoding": "gzip"})(handler)
    handler.close_connection = True


def drips(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(WELL)))
    handler.end_headers()
    for place in range(len(WELL)):
        time.sleep(0.1)
        handler.wfile.write(WELL[place : place + 1])
        handler.wfile.flush()


def silent(handler):
    time.sleep(1.5)
    handler.close_connection = True


@pytest.mark.parametrize(
    "says",
    [
        cut,
        half,
        broken_packing,
        drips,
        silent,
        answering(b"<html>502 Bad Gateway</html>", status=502, media_type="text/html"),
        answering(b"", status=520),
        answering(b"error code: 525", status=525, media_type="text/plain"),
        answering(b'{"error":[]'),
        answering(b'{"error":null,"result":{}}'),
        answering(b'{"error":"EService:Busy"}'),
        answering(b'{"error":[1]}'),
        answering(b'{"error":[]}'),
        answering(b"[]"),
        answering(b'{"result":{}}'),
        answering(b"[" * 100_000),
        answering(b'\xff{"error":[]}'),
        answering(b"", status=302, headers={"Location": "http://127.0.0.1:1/"}),
        answering(b'{"error":[],"result":"' + b"x" * 3000 + b'"}'),
    ],
)
def test_what_is_no_answer_may_have_been_done(exchange, says):
    """IN-5: nothing is followed elsewhere, nothing is waited for without an end, nothing too long is kept."""
    exchange.says = says
    began = time.monotonic()
    with pytest.raises(AnswerLost):
        ask(exchange, seconds=0.6, limit=2000)
    assert time.monotonic() - began < 5
    assert len(exchange.asked) == 1


def test_what_was_left_of_one_answer_is_not_the_next(exchange):
    exchange.says = answering(WELL[:30], headers={"Content-Length": str(len(WELL))})
    with pytest.raises(AnswerLost):
        ask(exchange, seconds=0.3)
    exchange.says = answering(WELL)
    assert ask(exchange).body == WELL


def test_where_nobody_listens_nothing_was_sent():
    with pytest.raises(NotSent):
        transport.send("http://127.0.0.1:1", PATH, body=b"nonce=1")


def test_a_status_says_less_than_the_body(exchange):
    exchange.says = answering(b'{"error":["EAPI:Rate limit exceeded"]}', status=429)
    assert ask(exchange).errors == ("EAPI:Rate limit exceeded",)


def test_warnings_are_no_errors(exchange):
    exchange.says = answering(b'{"error":["WGeneral:Mind this"],"result":1}')
    answer = ask(exchange)
    assert (answer.errors, answer.warnings, answer.meaning) == ((), ("WGeneral:Mind this",), None)


@pytest.mark.parametrize(
    ("errors", "means"),
    [
        (["EGeneral:Temporary lockout"], Meaning.LOCKOUT),
        (["EAPI:Invalid key"], Meaning.CREDENTIAL),
        (["EGeneral:Permission denied"], Meaning.CREDENTIAL),
        (["EAccount:Account disabled"], Meaning.CREDENTIAL),
        (["EAPI:Invalid nonce"], Meaning.NOT_DONE),
        (["EService: Throttled: 1700000000"], Meaning.NOT_DONE),
        (["EService:Throttled"], Meaning.NOT_DONE),
        (["EAPI:Rate limit exceeded"], Meaning.NOT_DONE),
        (["EService:Market in post_only mode"], Meaning.REFUSED),
        (["EService:Deadline elapsed"], Meaning.DOUBTFUL),
        (["EService:Unavailable"], Meaning.DOUBTFUL),
        (["EGeneral:Internal error"], Meaning.DOUBTFUL),
        (["ENew:Never heard of"], Meaning.DOUBTFUL),
        (["EFunding:Invalid amount"], Meaning.REFUSED),
        (["EFunding:Invalid amount", "EService:Busy"], Meaning.DOUBTFUL),
        (["EAPI:Invalid nonce", "EFunding:Max fee exceeded"], Meaning.NOT_DONE),
    ],
)
def test_what_errors_mean_for_a_repeat(errors, means):
    assert meaning(tuple(errors)) is means
