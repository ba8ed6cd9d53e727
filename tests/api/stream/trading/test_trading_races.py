"""Messages of two sockets at once, and of a socket and a call: every order is answered for exactly once."""

from functools import partial

import pytest

from accounts.models import ApiKey
from portal.venues.registry import venue
from portal.venues.types import OpenQuery
from tests.api.stream.trading.test_add_order import FAR, INVALID
from tests.api.stream.trading.test_cancel_orders import UNKNOWN, placed
from tests.venues.conftest import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ROUNDS = 3


def ends(results):
    """What was answered, message by message, in one list."""
    assert not [result for result in results if isinstance(result, Exception)], results
    return [answer for answers in results for answer in answers]


@pytest.mark.parametrize("named", ["order_id", "cl_ord_id", "order_userref"])
def test_an_order_that_two_sockets_cancel_is_cancelled_for_one(messenger, named):
    for number in range(ROUNDS):
        name = {"cl_ord_id": f"mine-{number}", "order_userref": number}.get(named)
        mine = placed(messenger, **({named: name} if name is not None else {}))
        wanted = {named: [mine if name is None else name]}
        found = ends(together(*[partial(messenger.answers, "cancel_order", **wanted)] * 2))
        assert sorted(answer.error for answer in found) == ["", UNKNOWN]


def test_a_name_that_two_sockets_give_at_once_is_one_orders(messenger, account):
    for number in range(ROUNDS):
        wanted = {**FAR, "cl_ord_id": f"mine-{number}"}
        found = ends(together(*[partial(messenger.answers, "add_order", **wanted)] * 2))
        assert sorted(answer.error for answer in found) == ["", INVALID]
    rows = venue(account.venue).open_orders(account.pk, OpenQuery())
    assert sorted(row.cl_ord_id or "" for row in rows) == [f"mine-{number}" for number in range(ROUNDS)]


def test_messages_and_calls_at_once_are_all_counted(messenger, trading, settings):
    settings.API_LIMITS = True
    calls = [partial(messenger.answers, "cancel_all"), partial(trading.result, "Balance")]
    results = together(*calls)
    assert ends(results[:1])[0].result == {"count": 0}
    assert isinstance(results[1], dict), results
    assert ApiKey.objects.get(pk=messenger.bot.key.pk).calls == pytest.approx(2, abs=0.9)
