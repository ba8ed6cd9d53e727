"""Who connects an Account to an exchange is one of the cast, which stands here other than in the folders above."""

from collections.abc import Callable
from typing import Any

import pytest

from portal.venues.kraken.connection.asking import NewConnection
from portal.venues.kraken.models import Tier
from tests.venues.kraken.connection.exchange import BOTH, QUERIES, REST, WITHDRAW, Keys, info


@pytest.fixture(autouse=True)
def _empty_ground():
    """In place of the one that clears the ground."""


@pytest.fixture
def keys(exchange, settings) -> Keys:
    """An exchange on the operator's list that knows a key for withdrawals and one for everything else."""
    settings.EXCHANGES = [f"Test={exchange.url}"]
    known = Keys(exchange, {WITHDRAW: info("withdraw-funds", "query-funds"), REST: info(*QUERIES, "modify-trades")})
    exchange.says = known
    return known


@pytest.fixture
def new_connection(keys) -> Callable[..., NewConnection]:
    """What somebody types to connect `Real` with both keys, or what is `given`."""

    def typed(**given: Any) -> NewConnection:
        return NewConnection(
            **{"exchange": "Test", "name": "Real", "tier": Tier.INTERMEDIATE, "credentials": BOTH, **given}
        )

    return typed
