"""Orders cancelled by socket: one answer for each, whoever else has orders."""

import pytest

from accounts.api_keys import usage
from accounts.models import RefusedCall
from tests.api.calls import Wire
from tests.api.stream.conftest import on_a_socket
from tests.api.stream.messages import Raw
from tests.api.stream.trading.test_add_order import FAR, INVALID

pytestmark = pytest.mark.django_db

UNKNOWN, NO_ORDER = "EOrder:Unknown order", "EOrder:Invalid order"


def placed(messenger, **more: object) -> str:
    return str(messenger.result("add_order", **FAR, **more)["order_id"])


def open_ids(trading) -> set[str]:
    return set(trading.result("OpenOrders")["open"])


def test_each_named_order_has_an_answer_of_its_own_in_their_order(messenger, trading):
    one, other, third = (placed(messenger) for _ in range(3))
    answers = messenger.answers("cancel_order", order_id=[one, "OAAAAA-AAAAA-AAAAAA", other, one, "x-y", "-7"])
    assert [answer.error or answer.result for answer in answers] == [
        {"order_id": one}, UNKNOWN, {"order_id": other}, UNKNOWN, NO_ORDER, NO_ORDER,
    ]  # fmt: skip
    assert open_ids(trading) == {third}
    assert trading.result("QueryOrders", txid=one)[one]["reason"] == "User requested"


def test_a_number_among_the_ids_cancels_no_orders_of_that_userref(messenger, trading):
    """A call takes the number for a `userref`; a message has another name for that."""
    mine = placed(messenger, order_userref=5)
    for ids in (["5"], [Raw("5")], [5]):
        assert messenger.answers("cancel_order", order_id=ids)[0].error == NO_ORDER
    assert open_ids(trading) == {mine}


def test_orders_are_cancelled_by_the_bots_own_names(messenger, trading):
    mine = placed(messenger, cl_ord_id="mine-1")
    answers = messenger.answers("cancel_order", cl_ord_id=["mine-1", "mine-2", "x" * 19, "mine-1"])
    assert [answer.error or answer.result for answer in answers] == [
        {"order_id": mine, "cl_ord_id": "mine-1"}, UNKNOWN, NO_ORDER, UNKNOWN,
    ]  # fmt: skip
    assert open_ids(trading) == set()


def test_every_order_of_a_number_has_an_answer(messenger, trading):
    first, second = (placed(messenger, order_userref=-7) for _ in range(2))
    third = placed(messenger, order_userref=8)
    answers = messenger.answers("cancel_order", order_userref=[-7, 9, Raw("99999999999"), "x"])
    assert [answer.error or answer.result for answer in answers] == [
        {"order_id": first}, {"order_id": second}, UNKNOWN, NO_ORDER, NO_ORDER,
    ]  # fmt: skip
    assert open_ids(trading) == {third}


def test_an_order_filled_between_the_look_and_the_cancel_is_not_said_to_be_cancelled(messenger, trading, monkeypatch):
    mine = placed(messenger, cl_ord_id="mine-1")
    filled = messenger.result("add_order", order_type="market", side="buy", symbol="BTC/USD", order_qty=Raw("0.001"))
    monkeypatch.setattr("portal.api.stream.trading._open", lambda message, query: [filled["order_id"]])
    assert messenger.error("cancel_order", cl_ord_id=["mine-1"]) == UNKNOWN
    assert messenger.error("cancel_order", order_userref=[5]) == UNKNOWN
    assert open_ids(trading) == {mine}


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"order_id": []},
        {"order_id": None},
        {"order_id": {}},
        {"order_id": [True]},
        {"order_id": [None]},
        {"order_id": [["x"]]},
        {"order_userref": [False]},
        {"cl_ord_id": [{"a": 1}]},
        {"order_id": ["x"] * 51},
        {"cl_ord_id": ["x"] * 101},
        {"cl_ord_id": ["mine"], "order_userref": [5]},
        {"cl_ord_id": ["mine"], "symbol": "BTC/USD"},
        {"cl_ord_id": "mine"},
        {"order_userref": 5},
        {"cl_ord_id": ["a\u0000b"]},
    ],
)
def test_what_is_wrong_cancels_nothing(messenger, trading, params):
    mine = placed(messenger, order_userref=5), placed(messenger, cl_ord_id="mine")
    assert messenger.error("cancel_order", **params) == INVALID
    assert open_ids(trading) == set(mine)


def test_an_empty_name_cancels_nothing(messenger, trading):
    mine = placed(messenger)
    for kind in ("order_id", "cl_ord_id", "order_userref"):
        for name in ("", "None"):
            assert messenger.error("cancel_order", **{kind: [name]}) in (INVALID, NO_ORDER, UNKNOWN)
    assert open_ids(trading) == {mine}


def test_cancel_all_says_how_many(messenger, trading):
    placed(messenger), placed(messenger)
    assert messenger.error("cancel_all", symbol="BTC/USD") == INVALID
    assert len(open_ids(trading)) == 2
    assert messenger.result("cancel_all", token="x") == {"count": 2}
    assert messenger.result("cancel_all") == {"count": 0}
    assert open_ids(trading) == set()


def test_the_orders_next_door_do_not_exist(messenger, trading, world):
    """AZ-2: foreign ids, names and numbers answer as unknown ones."""
    eve = on_a_socket(world.bot("eve-bot"))
    by_id, by_name = placed(messenger, order_userref=5), placed(messenger, cl_ord_id="mine-1")
    for named in ({"order_id": [by_id]}, {"cl_ord_id": ["mine-1"]}, {"order_userref": [5]}):
        assert eve.error("cancel_order", **named) == UNKNOWN
    assert eve.result("cancel_all") == {"count": 0}
    assert open_ids(trading) == {by_id, by_name}
    assert Wire(world.bot("eve-bot")).result("OpenOrders") == {"open": {}}


def test_refusals_are_written_down_under_the_messages_name(messenger):
    messenger.answers("cancel_order", order_id=["OAAAAA-AAAAA-AAAAAA", "x-y"])
    usage.flush()
    calls = RefusedCall.objects.filter(api_key=messenger.bot.key).order_by("pk")
    assert [(call.method, call.answer, call.reason, call.facts) for call in calls] == [
        ("cancel_order", UNKNOWN, "rule", {"said": "There is no such open order."}),
        ("cancel_order", NO_ORDER, "arguments", {"field": "order_id"}),
    ]


def test_the_query_window_hides_orders_and_protects_none(messenger, trading):
    """What a key may take back is not what it may look at: as by a call."""
    mine = placed(messenger, cl_ord_id="mine-1")
    service_user = messenger.bot.service_user
    type(service_user).objects.filter(pk=service_user.pk).update(query_end="2020-01-01T00:00:00Z")
    fresh = on_a_socket(messenger.bot)
    assert trading.result("OpenOrders") == {"open": {}}
    assert fresh.result("cancel_order", cl_ord_id=["mine-1"]) == {"order_id": mine, "cl_ord_id": "mine-1"}
