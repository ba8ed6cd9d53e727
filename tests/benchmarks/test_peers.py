"""The peers answer what the portal answers, and those that check refuse what it refuses: else they are no measure."""

import json
from threading import Barrier, Thread

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import override_settings

from benchmarks.counting.wsgi_call import called, environ_of
from benchmarks.load.signing import Key as Caller
from benchmarks.load.signing import plain, signed
from benchmarks.peers import balances, in_front, refusals
from benchmarks.peers.models import Key
from portal.venues.paper import catalogue
from tests.api.calls import Wire
from tests.benchmarks.conftest import make_peer, make_table

MIDDLEWARE = ["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"]
CHECKING = [pytest.param("team"), pytest.param("in_front", marks=pytest.mark.postgresql)]
RACERS = 8


def asked(application, request: bytes):
    return json.loads(called(application, environ_of(request)))


def bare(module):
    """Django with that peer's view and no middleware."""
    return override_settings(ROOT_URLCONF=f"benchmarks.peers.{module}", MIDDLEWARE=[], ALLOWED_HOSTS=["*"])


@pytest.fixture
def expected(treasury_bot):
    """What the portal answers."""
    return {"error": [], "result": Wire(treasury_bot).result("Balance")}


@pytest.fixture
def checking(request, expected, peer, settings):
    """One of the two peers that make the portal's checks."""
    settings.ROOT_URLCONF, settings.MIDDLEWARE = "benchmarks.peers.team", MIDDLEWARE
    settings.ALLOWED_HOSTS = ["*"]
    if request.param == "team":
        return WSGIHandler()
    if connection.vendor != "postgresql":
        pytest.skip("it speaks to PostgreSQL itself")
    # Within the transaction of the test.
    connection.ensure_connection()
    return in_front.in_front_of(WSGIHandler(), lambda: connection.connection)


def test_b_answers_the_balances_that_the_portal_answers(expected, peer):
    with bare("select"):
        found = asked(WSGIHandler(), plain(f"/balance/{peer.row.account}", peer.caller)())
    assert found == expected
    assert len(found["result"]) == 6


def test_c_counts_each_call_once(peer):
    with bare("update"):
        counts = [asked(WSGIHandler(), plain(f"/count/{peer.row.pk}", peer.caller)()) for _ in range(3)]
    assert [each["result"]["calls"] for each in counts] == [1, 2, 3]


@pytest.mark.parametrize("checking", CHECKING, indirect=True)
def test_g_and_hw_answer_the_balances_that_the_portal_answers(checking, expected, peer):
    call = signed(peer.caller, "Balance")
    for _ in range(2):
        assert asked(checking, call()) == expected
    row = Key.objects.get()
    assert row.calls == 2
    assert row.last_nonce > 0


@pytest.mark.parametrize("checking", CHECKING, indirect=True)
def test_g_and_hw_take_a_nonce_once_and_none_below_it(checking, peer):
    call = signed(peer.caller, "Balance")
    first, second = call(), call()
    assert asked(checking, second)["error"] == []
    assert asked(checking, second) == asked(checking, first) == {"error": [refusals.INVALID_NONCE]}


@pytest.mark.parametrize("checking", CHECKING, indirect=True)
def test_g_and_hw_refuse_a_signature_that_is_not_the_keys(checking, peer):
    stranger = Caller(peer.caller.public, "AAAA", peer.caller.source)
    assert asked(checking, signed(stranger, "Balance")()) == {"error": [refusals.INVALID_SIGNATURE]}
    # What was signed for another nonce is not for this one.
    request = signed(peer.caller, "Balance")()
    assert asked(checking, request[:-1] + b"0123456789"[-1 - request[-1] % 2 :][:1]) == {
        "error": [refusals.INVALID_SIGNATURE]
    }


@pytest.mark.parametrize("checking", CHECKING, indirect=True)
def test_g_and_hw_hear_of_a_revocation_at_the_next_call(checking, peer):
    call = signed(peer.caller, "Balance")
    assert asked(checking, call())["error"] == []
    Key.objects.update(is_active=False, version=2)
    assert asked(checking, call()) == {"error": [refusals.INVALID_KEY]}
    Key.objects.update(is_active=True, version=3)
    assert asked(checking, call())["error"] == []


@pytest.mark.parametrize("checking", CHECKING, indirect=True)
def test_g_and_hw_know_no_key_but_theirs(checking, peer):
    stranger = Caller("nobody", peer.caller.secret, peer.caller.source)
    assert asked(checking, signed(stranger, "Balance")()) == {"error": [refusals.INVALID_KEY]}


@pytest.mark.parametrize("checking", CHECKING[:1], indirect=True)
def test_g_lets_a_key_call_from_where_it_may_and_for_what_it_may(checking, peer):
    elsewhere = Caller(peer.caller.public, peer.caller.secret, "192.0.2.1")
    assert asked(checking, signed(elsewhere, "Balance")()) == {"error": [refusals.INVALID_KEY]}
    Key.objects.update(scopes=[])
    assert asked(checking, signed(peer.caller, "Balance")()) == {"error": [refusals.PERMISSION_DENIED]}


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("racing", ["team", "in_front"])
def test_of_those_who_race_with_one_nonce_one_wins(racing, sealing, world, settings):
    if connection.vendor != "postgresql":
        pytest.skip("it speaks to PostgreSQL itself")
    settings.ROOT_URLCONF, settings.MIDDLEWARE, settings.ALLOWED_HOSTS = "benchmarks.peers.team", MIDDLEWARE, ["*"]
    make_table()
    try:
        request = signed(make_peer(world.account.pk).caller, "Balance")()
        opened = []

        def to_database():
            opened.append(in_front.to_database())
            return opened[-1]

        application = WSGIHandler() if racing == "team" else in_front.in_front_of(WSGIHandler(), to_database)
        found, start = [], Barrier(RACERS)

        def race() -> None:
            start.wait()
            found.append(asked(application, request)["error"])
            connection.close()

        racers = [Thread(target=race) for _ in range(RACERS)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        for each in opened:
            each.close()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE peers_key")
    assert sorted(found) == [[], *[[refusals.INVALID_NONCE]] * (RACERS - 1)]


def test_peers_know_the_decimals_of_each_asset():
    assert {asset.id: asset.decimals for asset in catalogue.ASSETS} == balances.DECIMALS
    assert balances.in_words(5, 10) == "0.0000000005"
    assert balances.in_words(124000000000, 10) == "12.4000000000"
