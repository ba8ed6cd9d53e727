"""What a call that is sent on costs the database: the same for every bot and every length of the past."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.gateway.relay.past import LIMIT, lived

# Key and nonce, its share, the exchange's credential, and that one's nonce; balances also what withdrawals hold, and
# whether any of that has run out.
PLAIN, WITH_HOLDS = 4, 6


@pytest.mark.parametrize(
    ("method", "fields", "most"),
    [("TradeVolume", {}, PLAIN), ("OpenOrders", {}, PLAIN), ("Ledgers", {}, PLAIN), ("Balance", {}, WITH_HOLDS)],
)
def test_a_call_that_is_sent_on_is_a_handful_of_statements(bot, customer, method, fields, most):
    bot.result(method, **fields)
    with CaptureQueriesContext(connection) as few:
        bot.result(method, **fields)
    lived(customer)
    with CaptureQueriesContext(connection) as many:
        bot.result(method, **fields)
    assert len(few) == len(many) <= most, [query["sql"][:100] for query in many]


def test_an_order_asks_for_its_lane_beside(bot):
    bot.result("AddOrder", **LIMIT)
    with CaptureQueriesContext(connection) as asked:
        bot.result("AddOrder", **LIMIT)
    lane = 2 if connection.vendor == "postgresql" else 0
    assert len(asked) <= PLAIN + lane, [query["sql"][:100] for query in asked]
