"""What measures calls through the gateway makes calls that are answered, and notices one that is not."""

from contextlib import closing

import pytest

from benchmarks.found import Found, Options
from benchmarks.gateway import CALLS, calling
from benchmarks.ratio import Ratio
from benchmarks.report.tables import tables


@pytest.mark.parametrize(("method", "fields"), [(method, fields) for _, method, fields in CALLS])
def test_each_call_that_is_measured_is_answered_again_and_again(customer, method, fields):
    with closing(calling(customer.url, customer.keys["rest"], method, fields)) as call:
        call()
        call()
    # Nothing comes of it.
    assert customer.result("everything", "OpenOrders")["open"] == {}


def test_a_refusal_is_no_figure(customer):
    call = calling(customer.url, customer.keys["nearly nothing"], "Balance", {})
    with closing(call), pytest.raises(ValueError, match="Permission denied"):
        call()


def test_the_page_says_how_many_times_as_much_a_call_costs():
    found = Found(Options(1, 1, 1.0), gateway=[Ratio("`Balance`: how long it takes", "at the exchange", 3.5, 3, 4)])
    (table,) = tables(found)
    assert table.name == "gateway"
    assert table.rows == [["`Balance`: how long it takes", "3.50 (3.00 to 4.00)"]]
