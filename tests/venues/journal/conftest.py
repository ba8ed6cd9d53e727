"""Who the tests of the journal follow."""

from tests.venues.paper.orders.conftest import trader

__all__ = ["trader"]
