"""AP-5 and AP-6: which nonces a key takes, once each, also when many arrive at the same moment."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from accounts.api_keys import lifecycle
from accounts.models import ApiKey, ServiceUser
from portal.api import gateway
from portal.api.call import Call
from tests.api.calls import FORM, INVALID_NONCE, Wire, next_nonce, only_error, sign

RACERS = 24
NO_NONCES = [
    "", "0", "-1", "+1", " 1", "1 ", "1.0", "1e9", "0x1", "1_0", "\u0661", "18446744073709551615",
    "18446744073709551616", "9223372036854775808", "1" * 21, "1" * 4096, "abc", "None",
]  # fmt: skip


def give_window(wire: Wire, window: int) -> None:
    ServiceUser.objects.filter(pk=wire.bot.service_user.pk).update(nonce_window=window)
    lifecycle.touch(wire.bot.service_user)


def last(wire: Wire) -> int:
    return ApiKey.objects.get(pk=wire.bot.key.pk).last_nonce


@pytest.mark.django_db
@pytest.mark.parametrize("window", [0, 1000])
def test_what_is_no_nonce_is_refused_and_moves_nothing(readonly, window):
    """AP-5, AP-6: unsigned 64-bit decimals; 2^64-1 lies in the far future."""
    give_window(readonly, window)
    ApiKey.objects.filter(pk=readonly.bot.key.pk).update(last_nonce=10**6, floor_nonce=10**6 - 1)
    for nonce in NO_NONCES:
        assert only_error(readonly.ask("Balance", nonce=nonce)) == INVALID_NONCE, nonce
    assert last(readonly) == 10**6


@pytest.mark.django_db
def test_a_call_without_a_nonce_is_refused(readonly):
    assert only_error(readonly.read(readonly.send("Balance", b"", nonce=""))) == INVALID_NONCE
    assert only_error(readonly.read(readonly.send("Balance", b"asset=XBT", nonce=""))) == INVALID_NONCE


@pytest.mark.django_db
def test_the_clocks_of_all_clients_pass(readonly):
    """AP-6: millisecond, 10-nanosecond and nanosecond clocks work, in that order on one key."""
    now = time.time()
    for nonce in (1, int(now * 10**3), int(now * 10**8), int(now) * 10**9):
        assert readonly.ask("Balance", nonce=nonce)["error"] == []
    assert only_error(readonly.ask("Balance", nonce=int(now * 10**3))) == INVALID_NONCE


@pytest.mark.django_db
def test_a_day_ahead_is_the_limit(readonly):
    """AP-6: beyond now in nanoseconds and a day, a nonce would brick the key."""
    limit = (int(timezone.now().timestamp()) + 86_400) * 10**9
    assert only_error(readonly.ask("Balance", nonce=limit + 60 * 10**9)) == INVALID_NONCE
    assert readonly.ask("Balance", nonce=limit - 60 * 10**9)["error"] == []


@pytest.mark.django_db
def test_in_json_it_is_a_string_or_a_number(readonly):
    assert readonly.ask_json("Balance", {}, nonce=str(next_nonce()))["error"] == []
    assert readonly.ask_json("Balance", {}, nonce=next_nonce())["error"] == []
    body = f'{{"nonce": {next_nonce()}.0}}'.encode()
    assert only_error(
        readonly.read(
            readonly.send("Balance", body, nonce=body[10:-1].decode(), content_type="application/json; charset=utf-8")
        )
    ) == (INVALID_NONCE)


@pytest.mark.django_db
@pytest.mark.parametrize("window", [0, 1000])
def test_each_nonce_is_accepted_once(readonly, window):
    """AP-5, AP-14: a repeated signed request dies on its nonce."""
    give_window(readonly, window)
    nonce = next_nonce()
    assert readonly.ask("Balance", nonce=nonce)["error"] == []
    for _ in range(2):
        assert only_error(readonly.ask("Balance", nonce=nonce)) == INVALID_NONCE
    assert (readonly.ask("Balance", nonce=nonce - 1)["error"] == []) is (window > 0)
    assert only_error(readonly.ask("Balance", nonce=nonce - 1000)) == INVALID_NONCE


@pytest.mark.django_db
def test_a_call_that_fails_later_has_spent_its_nonce(readonly):
    nonce = next_nonce()
    assert only_error(readonly.ask("Withdraw", nonce=nonce)) == "EGeneral:Permission denied"
    assert only_error(readonly.ask("Balance", nonce=nonce)) == INVALID_NONCE


@pytest.mark.django_db
@pytest.mark.parametrize("window", [0, 1000])
def test_an_unsigned_call_never_moves_the_nonce(readonly, window):
    """AP-5: bad signature with huge nonce leaves it."""
    give_window(readonly, window)
    readonly.result("Balance")
    before = last(readonly)
    nonce = str(next_nonce() + 10**12)
    wrong = readonly.read(readonly.send("Balance", f"nonce={nonce}".encode(), nonce=nonce, signature="x"))
    assert only_error(wrong) == "EAPI:Invalid signature"
    assert last(readonly) == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("window", [0, 10**6])
def test_of_racers_with_one_nonce_one_wins(readonly, window):
    """AP-5: many connections, same nonce, one wins, with a window and without."""
    give_window(readonly, window)
    readonly.result("Balance")
    nonce = str(next_nonce())
    call = call_of(readonly, nonce)
    start = Barrier(RACERS)

    def race(_: int) -> bytes:
        start.wait()
        try:
            return gateway.answer(call).body
        finally:
            connection.close()

    with ThreadPoolExecutor(RACERS) as pool:
        answers = [json.loads(answer) for answer in pool.map(race, range(RACERS))]
    assert sum(answer["error"] == [] for answer in answers) == 1
    assert sum(answer == {"error": [INVALID_NONCE]} for answer in answers) == RACERS - 1


def call_of(wire: Wire, nonce: str) -> Call:
    body = f"nonce={nonce}".encode()
    path = "/0/private/Balance"
    return Call(
        verb="POST",
        path=path,
        query="",
        body=body,
        media_type=FORM,
        key=wire.bot.public,
        signature=sign(wire.bot.secret, path, nonce, body),
        source="127.0.0.1",
        is_secure=True,
    )
