"""Money that comes in, and money that earns, over the wire."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from accounts.api_keys import lifecycle
from accounts.models import ServiceUser
from portal.venues.paper import funding
from portal.venues.paper.deposits.models import DepositAddress
from tests.api.calls import Wire

pytestmark = pytest.mark.django_db


def instant_strategy(wire: Wire, asset: str) -> str:
    (row, *_) = wire.result("Earn/Strategies", asset=asset, lock_type="instant")["items"]
    return str(row["id"])


def test_the_ways_in(treasury):
    (method, *_) = treasury.result("DepositMethods", asset="XBT")
    assert method["gen-address"] is True
    assert method["limit"] is False
    assert treasury.error("DepositMethods", asset="XYZ") == "EFunding:Unknown asset"
    assert treasury.error("DepositMethods") == "EGeneral:Invalid arguments"


def test_an_address_is_made_once_and_another_one_when_asked(treasury):
    fields = {"asset": "XBT", "method": "Bitcoin"}
    (first,) = treasury.result("DepositAddresses", **fields)
    assert first == {"address": first["address"], "expiretm": "0", "new": True}
    assert treasury.result("DepositAddresses", **fields, new="False") == [first]
    second = treasury.result("DepositAddresses", **fields, new="True")
    assert len(second) == 2
    assert treasury.error("DepositAddresses", asset="XBT", method="Pigeon") == "EFunding:No funding method"
    answers = [treasury.ask("DepositAddresses", **fields, new="True")["error"] for _ in range(20)]
    assert answers[-1] == ["EFunding:Too many addresses"]


def test_who_may_only_query_makes_no_address(treasury):
    """Reference §6: without `new` also for query-funds."""
    ServiceUser.objects.filter(pk=treasury.bot.service_user.pk).update(permissions=["query-funds"])
    lifecycle.touch(treasury.bot.service_user)
    fields = {"asset": "XBT", "method": "Bitcoin"}
    assert treasury.result("DepositAddresses", **fields) == []
    assert treasury.error("DepositAddresses", **fields, new="true") == "EGeneral:Permission denied"
    assert not DepositAddress.objects.exists()


def test_deposits_in_lists_and_pages(treasury, account):
    for number in range(3):
        funding.deposit(account.pk, "BTC", Decimal(1), reference=f"in-{number}")
    rows = treasury.result("DepositStatus", asset="XBT", cursor="False")
    assert [row["refid"] for row in rows[:3]] == ["in-2", "in-1", "in-0"]
    assert (rows[0]["amount"], rows[0]["status"], rows[0]["asset"]) == ("1.0000000000", "Success", "XXBT")
    page = treasury.result("DepositStatus", asset="XBT", cursor="true", limit="2")
    assert [row["refid"] for row in page["deposits"]] == ["in-2", "in-1"]
    after = treasury.result("DepositStatus", asset="XBT", cursor=page["next_cursor"], limit="2")
    assert after["deposits"][0]["refid"] == "in-0"
    assert treasury.error("DepositStatus", cursor="nonsense") == "EGeneral:Invalid arguments"
    assert treasury.error("DepositStatus", limit="501") == "EGeneral:Invalid arguments"


def test_lending_and_taking_back(treasury):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        strategy = instant_strategy(treasury, "USD")
        move = {"strategy_id": strategy, "amount": "1000"}
        before = float(treasury.result("Balance")["ZUSD"])
        assert treasury.result("Earn/Allocate", **move) is True
        assert treasury.result("Earn/AllocateStatus", strategy_id=strategy) == {"pending": True}
        busy = "EEarnings:Busy:Another (de)allocation for the same strategy is in progress"
        assert treasury.error("Earn/Allocate", **move) == busy
        clock.shift(5)
        assert treasury.result("Earn/AllocateStatus", strategy_id=strategy) == {"pending": False}
        answer = treasury.result("Earn/Allocations")
        (row,) = answer["items"]
        assert (row["strategy_id"], row["native_asset"]) == (strategy, "ZUSD")
        assert row["amount_allocated"]["total"] == {"native": "1000.0000", "converted": "1000.0000"}
        assert answer["total_allocated"] == "1000.0000"
        assert float(treasury.result("Balance")["ZUSD"]) == pytest.approx(before - 1000)
        clock.shift(timedelta(days=3))
        assert float(treasury.result("Earn/Allocations")["total_rewarded"]) > 0
        assert treasury.result("Earn/Deallocate", **move) is True
        clock.shift(5)
        assert treasury.result("Earn/DeallocateStatus", strategy_id=strategy) == {"pending": False}
        assert float(treasury.result("Balance")["ZUSD"]) >= before


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"strategy_id": "nothing"}, "EGeneral:Invalid arguments:Invalid strategy ID"),
        ({"strategy_id": ""}, "EGeneral:Invalid arguments"),
        ({"amount": "x"}, "EGeneral:Invalid arguments"),
        ({"amount": "0.000001"}, "EGeneral:Invalid arguments"),
        ({"amount": "0.0001"}, "EEarnings:Below min:(De)allocation operation amount less than minimum"),
        (
            {"amount": "479000000"},
            "EEarnings:Above max:The allocation exceeds user limit for the strategy",
        ),
    ],
)
def test_what_earn_refuses(treasury, change, error):
    before = treasury.result("Balance")
    fields = {"strategy_id": instant_strategy(treasury, "USD"), "amount": "100", **change}
    assert treasury.error("Earn/Allocate", **fields) == error
    assert treasury.result("Balance") == before


def test_taking_back_more_than_was_lent(treasury):
    funds = "EEarnings:Insufficient funds:Insufficient funds to complete the (de)allocation request"
    assert treasury.error("Earn/Deallocate", strategy_id=instant_strategy(treasury, "USD"), amount="100") == funds


def test_strategies_can_be_narrowed_and_sorted(treasury):
    def kinds(**fields: str) -> set[str]:
        return {row["lock_type"]["type"] for row in treasury.result("Earn/Strategies", **fields)["items"]}

    assert kinds() == {"instant", "bonded"}
    assert kinds(lock_type="bonded") == {"bonded"}
    rows = treasury.result("Earn/Strategies", ascending="true")["items"]
    rates = [float(row["apr_estimate"]["low"]) for row in rows]
    assert rates == sorted(rates)
    assert treasury.error("Earn/Strategies", lock_type="forever") == "EGeneral:Invalid arguments"
    assert treasury.error("Earn/Strategies", asset="XYZ") == "EQuery:Unknown asset"


def test_what_is_bonding_or_coming_back_is_told_with_when_it_ends(treasury, account):
    """Reference §12: a bot that waits for its money sees until when, and what is still under way."""
    funding.deposit(account.pk, "SOL", Decimal(100), reference="sol")
    with time_machine.travel("2026-11-02 12:00:00Z", tick=False) as clock:
        (strategy,) = treasury.result("Earn/Strategies", asset="SOL", lock_type="bonded")["items"]
        move = {"strategy_id": strategy["id"], "amount": "10"}

        def amounts():
            answer = treasury.result("Earn/Allocations", converted_asset="SOL", hide_zero_allocations="true")
            (row,) = [row for row in answer["items"] if row["strategy_id"] == strategy["id"]]
            return row["amount_allocated"]

        assert treasury.result("Earn/Allocate", **move) is True
        ten = {"native": "10.0000000000", "converted": "10.0000"}
        assert amounts() == {"total": ten, "pending": ten}
        clock.shift(5)
        bonding = amounts()
        assert set(bonding) == {"total", "bonding"}
        assert bonding["bonding"] == {
            **ten,
            "allocation_count": 1,
            "allocations": [{**ten, "created_at": "2026-11-02T12:00:00+00:00", "expires": "2026-11-04T12:00:02+00:00"}],
        }
        clock.shift(timedelta(days=3))
        assert amounts() == {"total": ten}
        assert treasury.result("Earn/Deallocate", **move) is True
        clock.shift(timedelta(hours=1))
        coming_back = amounts()
        assert "bonding" not in coming_back
        (back,) = coming_back["unbonding"]["allocations"]
        assert back["created_at"] == "2026-11-05T12:00:05+00:00"
