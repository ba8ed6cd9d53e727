"""A portal as in production, measured: its processes are added up, and no sum goes back when one of them is killed."""

import json
import os
import signal
import time
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import connect

from tests.api.calls import FORM, sign
from tests.database import kept_demo
from tests.serving import surroundings, workers_of
from tests.soak import nodes

pytestmark = pytest.mark.slow
TOKEN = "a-token-of-thirty-two-characters"
CALLS = 30
# Notes are written once a second; a machine that is busy takes its time.
WITHIN = 60.0
BALANCE = 'countersign_calls_total{error="none",method="Balance"}'


@pytest.fixture(scope="module")
def portal(tmp_path_factory):
    """Two workers of REST, two servers of sockets and `work`, with the demo; and a bot of it."""
    data = tmp_path_factory.mktemp("served")
    environment = surroundings() | {
        "PORTAL_DEBUG": "1",
        "PORTAL_VAR": str(data),
        "PORTAL_API_LIMITS": "0",
        "PORTAL_METRICS_TOKEN": TOKEN,
    }
    kept_demo.begun(data)
    bots = json.loads((data / "demo.json").read_text())["service_users"]
    bot = next(bot for bot in bots if bot["organization"] != "Elsewhere")
    with nodes.running(environment, data) as running:
        yield running, (bot["api_key"], bot["api_secret"])


def asked(port, verb, path, body=b"", **headers):
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(verb, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def scraped(node):
    status, text = asked(node.port, "GET", "/metrics", Authorization=f"Bearer {TOKEN}")
    assert status == 200
    families = text_string_to_metric_families(text.decode())
    return {f"{sample.name}{written(sample.labels)}": sample.value for family in families for sample in family.samples}


def written(labels):
    return "{" + ",".join(f'{name}="{labels[name]}"' for name in sorted(labels)) + "}"


def called(node, key, times):
    """Each over a connection of its own, so that every worker gets some."""
    public, secret = key
    for _ in range(times):
        nonce = str(time.time_ns())
        body = urlencode({"nonce": nonce}).encode()
        said = sign(secret, "/0/private/Balance", nonce, body)
        headers = {"API-Key": public, "API-Sign": said, "Content-Type": FORM}
        status, answer = asked(node.port, "POST", "/0/private/Balance", body, **headers)
        assert (status, json.loads(answer)["error"]) == (200, [])


def until(look, is_so):
    """What is seen once it is so."""
    ends = time.monotonic() + WITHIN
    found = look()
    while not is_so(found):
        assert time.monotonic() < ends, found
        time.sleep(0.3)
        found = look()
    return found


def sums(found):
    """What must never go back."""
    return {
        name: value for name, value in found.items() if name.partition("{")[0].endswith(("_total", "_count", "_bucket"))
    }


def test_processes_are_added_up_and_no_sum_goes_back_when_one_is_killed(portal):
    running, key = portal
    called(running.rest, key, CALLS)
    first = until(lambda: scraped(running.rest), lambda found: found.get(BALANCE) == CALLS)
    assert first["countersign_ready{}"] == first["countersign_database_up{}"] == 1
    assert first["countersign_metrics_stored{}"] == 1
    # Two workers, two servers of sockets, and `work`, which has done something by now.
    until(lambda: scraped(running.rest), lambda found: found["countersign_processes{}"] == 5)
    until(lambda: scraped(running.rest), lambda found: found["countersign_task_seconds_count{}"] > 0)
    # Whoever is asked tells of all.
    assert scraped(running.streams[0])[BALANCE] == CALLS
    before = workers_of(running.rest.pid)
    seen = sums(scraped(running.rest))
    running.kill_rest_worker()
    until(lambda: workers_of(running.rest.pid), lambda now: len(now) == len(before) and now != before)
    nodes.wait_for(running.rest)
    found = seen
    for turn in range(3):
        called(running.rest, key, CALLS)
        wanted = CALLS * (turn + 2)
        found = until(lambda: scraped(running.rest), lambda found, wanted=wanted: found.get(BALANCE) == wanted)
        now = sums(found)
        assert {name: (value, now.get(name)) for name, value in seen.items() if now.get(name, 0) < value} == {}
        seen = now
    assert found['countersign_call_seconds_count{kind="read"}'] == CALLS * 4
    # The one in its place writes as soon as it serves.
    until(lambda: scraped(running.rest), lambda found: found["countersign_processes{}"] == 5)


def test_the_gauges_of_a_server_that_is_killed_are_gone_with_it(portal):
    running, _ = portal
    victim = running.streams[1]
    with connect(f"ws://127.0.0.1:{victim.port}/v2", proxy=None) as socket:
        socket.recv(timeout=20)
        until(lambda: scraped(running.rest), lambda found: found["countersign_sockets_open{}"] == 1)
        victim.kill()
    # A busy machine lets the others write their notes later, and nobody counts one whose note is old.
    until(
        lambda: scraped(running.rest),
        lambda found: (found["countersign_sockets_open{}"], found["countersign_processes{}"]) == (0, 4),
    )
    victim.start()
    nodes.wait_for(victim)
    until(lambda: scraped(running.rest), lambda found: found["countersign_processes{}"] == 5)
    os.kill(victim.pid, signal.SIGTERM)
    victim.stop()
    victim.start()
    nodes.wait_for(victim)


def test_a_stranger_is_told_nothing(portal):
    running, _ = portal
    assert asked(running.rest.port, "GET", "/metrics")[0] == 401
    assert asked(running.streams[0].port, "GET", "/metrics", Authorization="Bearer x") == (401, b"")
