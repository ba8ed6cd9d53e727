"""What a bot sees of its withdrawals at the real exchange: one list, each once, under the reference that it knows."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from policies.changes import cancel, decide
from policies.models import ChangeRequest, State
from portal.venues.kraken.models import Step
from tests.api.calls import Wire
from tests.factories import people
from tests.factories.world import EVERY_PERMISSION, make_bot
from tests.gateway.proxy import faults

pytestmark = pytest.mark.django_db
ADDRESS = {"asset": "XBT", "key": "btc-cold"}


@pytest.fixture
def bot(real, treasury_bot, settings) -> Wire:
    settings.API_LIMITS = False
    return Wire(treasury_bot)


@pytest.fixture
def withdraw(real, bot):
    """Asked by the bot's own call; with `agreed` approved, with `sent` sent as well."""

    def asked(amount="0.5", *, agreed=True, sent=True) -> ChangeRequest:
        refid = bot.result("Withdraw", **ADDRESS, amount=amount)["refid"]
        change = ChangeRequest.objects.get(withdrawal__reference=refid)
        if agreed or sent:
            real.approve(change)
        if sent:
            real.tend()
        return change

    return asked


def listed(bot, **fields) -> list[dict[str, Any]]:
    return list(bot.result("WithdrawStatus", **fields))


def test_one_reference_through_its_whole_life(real, bot, withdraw):
    change = withdraw(agreed=False, sent=False)
    refid = change.withdrawal.reference
    (row,) = listed(bot)
    assert (row["refid"], row["status"], row["status-prop"]) == (refid, "Initial", "onhold")
    real.approve(change)
    (row,) = listed(bot)
    assert (row["refid"], row["status"]) == (refid, "Initial")
    real.tend()
    (row,), (there,) = listed(bot), real.there()
    assert {**row, "status": "", "txid": ""} == {**there, "refid": refid, "status": "", "txid": ""}
    assert there["refid"] != refid


def test_what_others_sent_at_the_exchange_comes_as_it_is(real, bot, withdraw):
    by_hand = real.customer.result("everything", "Withdraw", asset="XETH", key="eth-cold", amount="1")["refid"]
    ours = withdraw()
    rows = listed(bot)
    assert [row["refid"] for row in rows] == [ours.withdrawal.reference, by_hand]
    assert listed(bot, asset="ETH")[0]["refid"] == by_hand


def test_unknown_words_of_the_exchange_reach_the_bot(real, bot, withdraw):
    withdraw()

    def says_more(result):
        for row in result["withdrawals"]:
            row |= {"status": "Pending", "status-prop": "onhold", "new": {"field": [1]}}
        return result

    real.proxy.on("WithdrawStatus", faults.changed(says_more))
    (row,) = listed(bot)
    assert (row["status"], row["status-prop"], row["new"]) == ("Pending", "onhold", {"field": [1]})


def test_pages_by_cursor_tell_each_once_newest_first(real, bot, withdraw):
    """Held, sent and foreign ones mixed, two a page."""
    sent = [withdraw("0.1"), withdraw("0.2")]
    real.customer.result("everything", "Withdraw", asset="XBT", key="btc-cold", amount="0.3")
    held = [withdraw(f"0.{number}", agreed=False, sent=False) for number in (4, 5, 6)]
    everything = [row["refid"] for row in listed(bot)]
    assert len(everything) == 6
    assert {change.withdrawal.reference for change in [*sent, *held]} < set(everything)
    told: list[str] = []
    cursor = "true"
    while cursor:
        page = bot.result("WithdrawStatus", cursor=cursor, limit=2)
        told += [row["refid"] for row in page["withdrawals"]]
        assert 1 <= len(page["withdrawals"]) <= 2
        cursor = page["next_cursor"]
    assert told == everything


def test_a_cursor_that_no_page_gave(bot):
    assert bot.ask("WithdrawStatus", cursor="bm9wZQ")["error"] == ["EGeneral:Invalid arguments"]


@pytest.mark.parametrize(
    ("window", "is_seen"),
    [
        ({"query_start": timedelta(minutes=1)}, False),
        ({"query_end": timedelta(minutes=-1)}, False),
        ({"query_start": timedelta(minutes=-1), "query_end": timedelta(minutes=1)}, True),
    ],
)
def test_the_keys_window_holds_for_both_lists(real, owner, withdraw, window, is_seen):
    withdraw()
    withdraw(agreed=False, sent=False)
    bounds = {name: timezone.now() + after for name, after in window.items()}
    seeing = Wire(make_bot(owner, real.account, "windowed-bot", EVERY_PERMISSION, **bounds))
    assert len(listed(seeing)) == (2 if is_seen else 0)


def test_what_is_looked_for_and_what_nobody_knows_says_so(real, bot, withdraw, later):
    real.proxy.on("Withdraw", faults.cut_before, times=1)
    change = withdraw()
    (row,) = listed(bot)
    assert (row["status"], row.get("status-prop")) == ("Initial", None)
    for seconds in (61, 121, 601):
        with later(seconds):
            real.tend()
    assert real.step(change) == Step.UNKNOWN
    (row,) = listed(bot)
    assert (row["refid"], row["status"], row["status-prop"]) == (change.withdrawal.reference, "Initial", "onhold")


def test_what_the_exchange_refused_has_failed(real, bot, withdraw):
    real.proxy.on("Withdraw", faults.error("EFunding:Max fee exceeded"), times=1)
    withdraw()
    (row,) = listed(bot)
    assert (row["status"], row["status-prop"]) == ("Failure", "canceled")


def test_while_the_exchange_is_away_nothing_is_told_rather_than_half(real, bot, withdraw):
    withdraw(agreed=False, sent=False)
    with real.proxy.away():
        assert bot.ask("WithdrawStatus")["error"] == ["EService:Unavailable"]


def test_quotes_are_the_exchanges_own_less_what_waits_here(real, bot, withdraw):
    alone = bot.result("WithdrawInfo", **ADDRESS, amount="0.5")
    theirs = real.customer.result("withdraw", "WithdrawInfo", **ADDRESS, amount="0.5")
    assert {name: alone[name] for name in ("method", "fee", "amount")} == {
        name: theirs[name] for name in ("method", "fee", "amount")
    }
    assert Decimal(alone["limit"]) == Decimal(theirs["limit"])
    withdraw("2", agreed=False, sent=False)
    less = bot.result("WithdrawInfo", **ADDRESS, amount="0.5")
    assert Decimal(alone["limit"]) - Decimal(less["limit"]) == 2


def test_ways_out_are_the_exchanges_own(real, bot):
    assert bot.result("WithdrawMethods", asset="XBT") == real.customer.result(
        "withdraw", "WithdrawMethods", asset="XBT"
    )


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"key": "nobody"}, "EFunding:Unknown withdraw key"),
        ({"amount": "0.00001"}, "EFunding:Invalid amount"),
        ({"amount": "99"}, "EFunding:Invalid amount"),
        ({"max_fee": "0.0000001"}, "EFunding:Max fee exceeded"),
        ({"address": "bc1qother"}, "EGeneral:Invalid arguments"),
    ],
)
def test_what_cannot_be_is_refused_before_anybody_is_asked(real, bot, fields, error):
    assert bot.ask("Withdraw", **{**ADDRESS, "amount": "0.5", **fields})["error"] == [error]
    assert real.proxy.requests("Withdraw") == []
    assert not ChangeRequest.objects.filter(operation="treasury.withdraw").exists()


def test_while_the_exchange_cannot_say_what_it_would_take_nobody_is_asked(real, bot):
    bot.result("WithdrawMethods")
    with real.proxy.away():
        assert bot.ask("Withdraw", **ADDRESS, amount="0.5")["error"] == ["EService:Unavailable"]
    assert not ChangeRequest.objects.filter(operation="treasury.withdraw").exists()


# --- Calling back ----------------------------------------------------------------------------------------------------


def call_back(bot, change):
    return bot.ask("WithdrawCancel", asset="XBT", refid=change.withdrawal.reference)


def test_while_it_waits_it_is_taken_back_here(real, bot, withdraw):
    change = withdraw(agreed=False, sent=False)
    assert call_back(bot, change)["result"] is True
    assert (real.step(change), real.proxy.requests("WithdrawCancel")) == (Step.RELEASED, [])


def test_agreed_and_not_sent_yet_it_is_taken_back_here_too(real, bot, withdraw):
    change = withdraw(sent=False)
    assert call_back(bot, change)["result"] is True
    real.tend()
    assert (real.step(change), real.state(change), real.there()) == (Step.RELEASED, State.FAILED, [])


def test_sent_it_is_the_exchange_that_says_whether_it_can(real, bot, withdraw):
    change = withdraw()
    assert call_back(bot, change)["result"] is False
    (asked,) = real.proxy.requests("WithdrawCancel")
    assert asked.fields["refid"] == real.row(change).refid
    assert asked.key == real.withdrawing.public
    assert real.row(change).cancel_denied


def test_on_hold_there_the_exchange_calls_it_back(real, bot, withdraw, later):
    real.customer.hold()
    change = withdraw()
    assert real.row(change).step == Step.ACCEPTED
    assert listed(bot)[0]["status-prop"] == "onhold"
    assert call_back(bot, change)["result"] is True
    with later(10):
        real.tend()
    row = real.row(change)
    assert (row.status, row.status_prop) == ("Failure", "canceled")
    assert listed(bot)[0]["status-prop"] == "canceled"


@pytest.mark.parametrize("fault", [faults.answer_lost, faults.cut_before, faults.page(502, executed=False)])
def test_a_lost_answer_to_a_cancel_is_asked_again(real, bot, withdraw, fault):
    real.customer.hold()
    change = withdraw()
    real.proxy.on("WithdrawCancel", fault, times=1)
    assert call_back(bot, change)["result"] is True
    assert len(real.proxy.requests("WithdrawCancel")) == 2


def test_a_cancel_that_the_exchange_does_not_answer(real, bot, withdraw):
    change = withdraw()
    real.proxy.on("WithdrawCancel", faults.error("EService:Unavailable"))
    assert call_back(bot, change)["error"] == ["EService:Unavailable"]
    assert not real.row(change).cancel_denied


def test_nobody_calls_back_what_nobody_knows_to_be_there(real, bot, withdraw):
    real.proxy.on("Withdraw", faults.answer_lost, times=1)
    real.proxy.on("WithdrawStatus", faults.cut_before, times=1)
    change = withdraw()
    assert real.step(change) == Step.LOST
    assert call_back(bot, change)["result"] is False
    assert real.step(change) == Step.LOST


def test_what_others_sent_is_not_the_bots_to_call_back(real, bot):
    by_hand = real.customer.result("everything", "Withdraw", **ADDRESS, amount="1")["refid"]
    answer = bot.ask("WithdrawCancel", asset="XBT", refid=by_hand)
    assert answer["error"] == ["EFunding:Unknown reference id"]
    assert real.proxy.requests("WithdrawCancel") == []


# --- How it goes there -----------------------------------------------------------------------------------------------


def test_its_status_is_asked_after_one_call_for_all_and_more_seldom(real, withdraw, later):
    changes = [withdraw("0.1"), withdraw("0.2")]
    real.proxy.forget()

    def arrives(result):
        rows = result["withdrawals"] if isinstance(result, dict) else result
        for row in rows:
            row |= {"status": "Success", "txid": f"tx-{row['refid']}"}
        return result

    real.proxy.on("WithdrawStatus", faults.changed(arrives))
    with later(15):
        real.tend()
    assert len(real.proxy.requests("WithdrawStatus")) == 1
    assert {real.row(change).status for change in changes} == {"Success"}
    assert all(real.row(change).txid for change in changes)
    with later(4000):
        real.tend()
    assert len(real.proxy.requests("WithdrawStatus")) == 1


def test_a_rejected_one_is_told_as_canceled(real, bot, withdraw):
    change = withdraw(agreed=False, sent=False)
    decide(
        change.reference, member=real.world.members["ben"], approved=False, digest=change.digest,
        proof=people.proof(change), reason="No.",
    )  # fmt: skip
    (row,) = listed(bot)
    assert (row["status"], row["status-prop"]) == ("Failure", "canceled")


def test_one_that_its_own_side_took_back(real, bot, withdraw):
    change = withdraw(agreed=False, sent=False)
    cancel(change.reference, actor=bot.bot.service_user)
    assert listed(bot)[0]["status-prop"] == "canceled"
