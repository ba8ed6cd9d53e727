"""Redis as it says of itself; a real one."""

import subprocess
import time

import pytest
import redis

from portal.operating.doctor import counters
from portal.operating.doctor.findings import Level, without_secrets
from tests import redis_server
from tests.operating.doctor.said import bad, only
from tests.ports import lasting
from tests.redis_server import RedisServer

SECRET = "correct-horse-battery"


@pytest.fixture
def server(tmp_path, settings):
    with redis_server.running(tmp_path) as server:
        settings.REDIS_URL = server.url
        yield server


def client(server: RedisServer) -> "redis.Redis":
    return redis.Redis(port=server.port)


def test_all_is_well(server):
    found = list(counters.look())
    assert bad(found) == []
    assert f"127.0.0.1:{server.port} answers" in found[0].found
    assert client(server).pttl(counters.PROBE) <= 1000


def test_without_one_it_is_said(settings):
    settings.REDIS_URL = ""
    assert only(counters.look()).level is Level.WARN


def test_one_that_is_away(settings):
    settings.REDIS_URL = f"redis://:{SECRET}@127.0.0.1:{lasting()}/0"
    found = only(counters.look())
    assert found.level is Level.WRONG
    assert SECRET not in without_secrets(found).found


def test_one_that_is_full(server):
    here = client(server)
    here.config_set("maxmemory", 2**20)
    refused, full = bad(counters.look())
    assert (refused.level, full.level) == (Level.WRONG, Level.WRONG)
    assert "takes no change" in refused.found
    assert "noeviction" in full.found
    here.config_set("maxmemory", 0)
    here.config_set("maxmemory", 2**30)
    assert bad(counters.look()) == []


def test_one_that_takes_no_change(server):
    here = client(server)
    here.replicaof("127.0.0.1", str(lasting()))
    found = [line for line in counters.look() if "takes no change" in line.found]
    assert only(bad(found)).level is Level.WRONG


def test_a_wrong_password(server, settings):
    client(server).config_set("requirepass", SECRET)
    assert only(counters.look()).level is Level.WRONG
    settings.REDIS_URL = server.url.replace("redis://", f"redis://:{SECRET}@")
    found = list(counters.look())
    assert bad(found) == []
    assert all(SECRET not in line.found for line in found)


def test_another_time(server, monkeypatch):
    real = time.time
    monkeypatch.setattr("time.time", lambda: real() + 60)
    found = only(bad(counters.look()))
    assert (found.level, "behind" in found.found) == (Level.WRONG, True)


def test_one_that_anybody_reaches(server, settings, monkeypatch):
    monkeypatch.setattr(counters, "HERE", set())
    found = only(bad(counters.look()))
    assert "anybody" in found.found


@pytest.fixture
def sentinel(server, tmp_path, settings):
    """One that looks after that Redis under the name `portal`."""
    port, path = lasting(), tmp_path / "sentinel.conf"
    path.write_text(f"port {port}\nbind 127.0.0.1\nsentinel monitor portal 127.0.0.1 {server.port} 1\n")
    with subprocess.Popen(["redis-server", str(path), "--sentinel"], stdout=subprocess.DEVNULL) as process:
        here = redis.Redis(port=port)
        for _ in range(200):
            try:
                here.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.05)
        here.close()
        settings.REDIS_URL = f"redis+sentinel://127.0.0.1:{port}/portal/0"
        yield port
        process.terminate()


def test_by_way_of_sentinels(sentinel, settings):
    assert bad(counters.look()) == []
    settings.REDIS_URL = settings.REDIS_URL.replace("/portal/", "/another/")
    unknown, away = bad(counters.look())
    assert (unknown.level, "does not know another" in unknown.found) == (Level.WARN, True)
    assert away.level is Level.WRONG


def test_one_of_two_sentinels_is_gone(sentinel, settings):
    gone = lasting()
    settings.REDIS_URL = f"redis+sentinel://127.0.0.1:{gone},127.0.0.1:{sentinel}/portal/0"
    found = only(bad(counters.look()))
    assert (found.level, f"127.0.0.1:{gone}" in found.found) == (Level.WARN, True)
