"""An exchange to be the gateway of, a customer there, and a proxy on the way."""

from collections.abc import Iterator

import pytest

from tests.gateway.proxy.server import Proxy
from tests.gateway.upstream.exchange import Customer, Upstream, exchange


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs the exchange waits for it to start: seconds, once for each worker."""
    for item in items:
        if "upstream" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")


@pytest.fixture(scope="session")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    """A second running portal, with a database of its own, that plays the exchange."""
    with exchange(tmp_path_factory.mktemp("exchange")) as running:
        yield running


@pytest.fixture
def customer(upstream: Upstream) -> Customer:
    """An organization at the exchange that nobody else knows."""
    return upstream.customer()


@pytest.fixture
def proxy(upstream: Upstream) -> Iterator[Proxy]:
    """On the way to the exchange: everything passes, until a test plans something else."""
    between = Proxy(upstream.url)
    between.start()
    yield between
    between.stop()
