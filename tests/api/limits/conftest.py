"""A real Redis, which a test may stop."""

from collections.abc import Iterator

import pytest

from portal.api.limits import lockout, shared_counters
from tests import redis_server


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[redis_server.RedisServer]:
    with redis_server.running(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def in_redis(server, settings) -> Iterator[redis_server.RedisServer]:
    """The portal with REDIS_URL set."""
    settings.REDIS_URL = server.url
    lockout.forget_all()
    yield server
    if server.process is None:
        server.start()
    lockout.forget_all()
    made = lockout._made(server.url)
    assert isinstance(made, shared_counters.Shared)
    made._redis._client.close()
    lockout._made.cache_clear()
