"""The portal under test stands in front of the exchange: the released clients get an address and a key, as ever.

Its bots are called as those of the demo are, so that one and the same test drives them.
"""

from collections.abc import Iterator

import pytest

from tests.factories.world import EVERY_PERMISSION, READING
from tests.gateway.front.portal import Organization, in_front_of
from tests.gateway.upstream.customers import Destination
from tests.gateway.upstream.exchange import Upstream
from tests.running import Portal

BOTS = {
    "treasury-bot": EVERY_PERMISSION,
    "trading-bot": tuple(permission for permission in EVERY_PERMISSION if permission != "withdraw-funds"),
    "readonly-bot": READING,
}
EVES = Destination("eve-cold", "XXBT", "Bitcoin", "bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh")


@pytest.fixture(scope="session")
def portal(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """In place of the one of `tests/clients`: each Account of it is one at the exchange."""
    ours, eves = upstream.customer(), upstream.customer()
    eves.add(EVES)
    organizations = (
        Organization("Treasury", ours, tuple(ours.addresses.values()), BOTS, approvals=2),
        Organization("Elsewhere", eves, (EVES,), {"eve-bot": EVERY_PERMISSION}),
    )
    with in_front_of(upstream.url, tmp_path_factory.mktemp("gateway"), organizations) as running:
        yield running
