"""Withdrawals as a bot sees them, whether or not people must approve (reference §15)."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.api_keys import lifecycle
from accounts.emergency_stop.stop import revoke_key
from accounts.models import ServiceUser
from policies.changes import decide, propose, room
from policies.models import ChangeRequest
from policies.operations import RemovePolicy, remove_policy
from policies.workflows import Workflow
from portal.audit.models import AuditEvent
from tests.api.calls import Wire
from tests.factories.world import BTC_COLD, ETH_COLD

pytestmark = pytest.mark.django_db

INVALID = "EGeneral:Invalid arguments"
INVALID_AMOUNT = "EFunding:Invalid amount"
ADDRESS = {"asset": "XBT", "key": "btc-cold"}


@pytest.fixture
def free(world, owner) -> None:
    """No policy on withdrawals any more."""
    propose(remove_policy, actor=owner, params=RemovePolicy(workflow=Workflow.INITIATE_WITHDRAWAL))


def withdraw(wire: Wire, amount: object = "0.25", **fields: object) -> str:
    answer = wire.result("Withdraw", **{**ADDRESS, "amount": amount, **fields})
    assert list(answer) == ["refid"]
    return str(answer["refid"])


def row_of(wire: Wire, refid: str):
    (row,) = [row for row in wire.result("WithdrawStatus") if row["refid"] == refid]
    return row


def stage_of(wire: Wire, refid: str) -> tuple[str, str]:
    row = row_of(wire, refid)
    return row["status"], row.get("status-prop", "")


def approve(change: ChangeRequest, fresh, *members) -> ChangeRequest:
    for member in members:
        change = decide(
            change.reference, member=member, approved=True, digest=change.digest, proof=fresh(change), reason=""
        )
    return change


def test_the_ways_out(treasury):
    methods = treasury.result("WithdrawMethods")
    assert {method["asset"] for method in methods} == {"XXBT", "XETH", "ZUSD", "ZEUR", "USDC", "SOL"}
    (bitcoin,) = treasury.result("WithdrawMethods", asset="BTC")
    assert bitcoin == {
        "asset": "XXBT",
        "method": "Bitcoin",
        "network": "Bitcoin",
        "minimum": bitcoin["minimum"],
        "fee": {"asset": "XXBT", "aclass": "currency", "fee": "0.00005"},
    }
    assert treasury.result("WithdrawMethods", network="bitcoin") == [bitcoin]
    assert treasury.error("WithdrawMethods", asset="NOPE") == "EFunding:Unknown asset"


def test_the_addresses(treasury, world):
    addresses = treasury.result("WithdrawAddresses")
    assert {row["key"] for row in addresses} == {"btc-cold", "eth-cold", "usd-bank"}
    (row,) = treasury.result("WithdrawAddresses", asset="xbt", method="Bitcoin", key="btc-cold")
    assert row == {"address": BTC_COLD, "asset": "XXBT", "method": "Bitcoin", "key": "btc-cold", "verified": True}
    assert treasury.result("WithdrawAddresses", verified="false") == []
    assert treasury.result("WithdrawAddresses", key="eve-cold") == []
    assert [row["key"] for row in Wire(world.bot("eve-bot")).result("WithdrawAddresses")] == ["eve-cold"]


def test_what_a_withdrawal_would_cost(treasury):
    info = treasury.result("WithdrawInfo", **ADDRESS, amount="0.25")
    assert info == {
        "method": "Bitcoin",
        "limit": "12.3999500000",
        "amount": "0.2499500000",
        "fee": "0.0000500000",
    }


def test_a_governed_withdrawal_is_held_at_once_and_waits(treasury):
    """AP-11: withdraw by API: waiting request, no posting."""
    count = treasury.result("Ledgers")["count"]
    refid = withdraw(treasury)
    assert row_of(treasury, refid) == {
        "method": "Bitcoin",
        "network": "Bitcoin",
        "aclass": "currency",
        "asset": "XXBT",
        "refid": refid,
        "txid": None,
        "info": BTC_COLD,
        "amount": "0.2499500000",
        "fee": "0.0000500000",
        "time": row_of(treasury, refid)["time"],
        "status": "Initial",
        "status-prop": "onhold",
        "key": "btc-cold",
    }
    assert treasury.result("Balance")["XXBT"] == "12.1500000000"
    assert treasury.result("BalanceEx")["XXBT"] == {"balance": "12.1500000000", "hold_trade": "0.0000000000"}
    assert treasury.result("Ledgers")["count"] == count
    change = ChangeRequest.objects.get(withdrawal__reference=refid)
    assert (change.service_user, change.api_key) == (treasury.bot.service_user, treasury.bot.key)
    assert change.approvals_required == 2


def test_the_history_names_key_and_source(treasury):
    treasury.source = "192.0.2.99"
    withdraw(treasury)
    event = AuditEvent.objects.filter(kind="change.requested").latest("id")
    assert event.source == "192.0.2.99"
    assert event.via == f"key {treasury.bot.key.short}"
    assert event.actor_label == "treasury-bot"


def test_an_approved_one_settles_within_ten_seconds(treasury, ben, cleo, fresh):
    refid = withdraw(treasury)
    change = ChangeRequest.objects.get(withdrawal__reference=refid)
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        approve(change, fresh, ben, cleo)
        assert stage_of(treasury, refid) == ("Initial", "")
        seen = []
        for _ in range(10):
            clock.shift(1)
            seen.append(stage_of(treasury, refid))
        assert list(dict.fromkeys(seen)) == [("Pending", ""), ("Settled", ""), ("Success", "")]
        assert row_of(treasury, refid)["txid"]
        assert treasury.result("Balance")["XXBT"] == "12.1500000000"
        (entry,) = treasury.result("Ledgers", type="withdrawal")["ledger"].values()
    assert entry["refid"] == refid
    assert (entry["amount"], entry["fee"], entry["balance"]) == ("-0.2499500000", "0.0000500000", "12.1500000000")


def test_an_ungoverned_one_is_sent_at_once_with_the_same_answer(treasury, free):
    """DESIGN P2: no policy, so the key's permission applies."""
    refid = withdraw(treasury)
    assert stage_of(treasury, refid) == ("Initial", "")
    assert treasury.result("Ledgers", type="withdrawal")["count"] == 1


def test_a_rejected_one_gives_the_money_back(treasury, ben, fresh):
    refid = withdraw(treasury)
    change = ChangeRequest.objects.get(withdrawal__reference=refid)
    decide(
        change.reference, member=ben, approved=False, digest=change.digest, proof=fresh(change), reason="Not this week."
    )
    assert stage_of(treasury, refid) == ("Failure", "canceled")
    assert treasury.result("Balance")["XXBT"] == "12.4000000000"


def test_a_bot_cancels_its_own_while_it_waits(treasury):
    refid = withdraw(treasury)
    assert treasury.result("WithdrawCancel", asset="XBT", refid=refid) is True
    assert stage_of(treasury, refid) == ("Failure", "canceled")
    assert treasury.result("Balance")["XXBT"] == "12.4000000000"


def test_too_late_a_cancel_is_false_and_shows(treasury, free):
    refid = withdraw(treasury)
    assert treasury.result("WithdrawCancel", asset="XXBT", refid=refid) is False
    assert stage_of(treasury, refid) == ("Initial", "cancel-denied")


def test_cancels_of_nothing(treasury, world):
    foreign = Wire(world.bot("eve-bot"))
    refid = withdraw(treasury)
    assert treasury.error("WithdrawCancel", asset="XBT", refid="AAAAAAA-AAAAAA-AAAAAA") == (
        "EFunding:Unknown reference id"
    )
    assert treasury.error("WithdrawCancel", asset="ETH", refid=refid) == "EFunding:Unknown reference id"
    assert foreign.error("WithdrawCancel", asset="XBT", refid=refid) == "EFunding:Unknown reference id"
    assert treasury.error("WithdrawCancel", asset="XBT", refid="no such\u00e9") == "EFunding:Invalid reference id"
    assert treasury.error("WithdrawCancel", asset="XBT") == INVALID
    assert treasury.error("WithdrawCancel", refid=refid) == INVALID
    assert stage_of(treasury, refid) == ("Initial", "onhold")


def test_a_revoked_key_takes_its_withdrawals_with_it(treasury, owner, readonly):
    refid = withdraw(treasury)
    revoke_key(actor=owner, api_key=treasury.bot.key, reason="It has to stop.")
    assert treasury.error("WithdrawStatus") == "EAPI:Invalid key"
    assert stage_of(readonly, refid) == ("Failure", "canceled")
    assert readonly.result("Balance")["XXBT"] == "12.4000000000"


REFUSED: list[tuple[dict[str, str], str]] = [
    ({"asset": "NOPE"}, "EFunding:Unknown asset"),
    ({"key": "nowhere"}, "EFunding:Unknown withdraw key"),
    ({"key": "eve-cold"}, "EFunding:Unknown withdraw key"),
    ({"key": "eth-cold"}, "EFunding:Unknown withdraw key"),
    ({"address": ETH_COLD}, INVALID),
    ({"amount": "12.5"}, INVALID_AMOUNT),
    ({"amount": "99999999999999999999"}, INVALID_AMOUNT),
    ({"amount": "0.00001"}, INVALID_AMOUNT),
    ({"amount": "0.12345678901"}, INVALID_AMOUNT),
    ({"amount": "0"}, INVALID_AMOUNT),
    ({"amount": "-1"}, INVALID_AMOUNT),
    ({"amount": "1_0"}, INVALID_AMOUNT),
    ({"amount": "NaN"}, INVALID_AMOUNT),
    ({"amount": "1e99"}, INVALID_AMOUNT),
    ({"amount": "1e-99"}, INVALID_AMOUNT),
    ({"amount": ""}, INVALID),
    ({"amount": "None"}, INVALID),
    ({"key": ""}, INVALID),
    ({"asset": ""}, INVALID),
    ({"max_fee": "0.00001"}, "EFunding:Max fee exceeded"),
    ({"max_fee": "0"}, "EFunding:Max fee exceeded"),
    ({"max_fee": "x"}, INVALID),
    ({"aclass": "stone"}, INVALID),
]


def test_what_cannot_be_withdrawn_is_refused_and_nothing_moves(treasury):
    """IN-2 and reference §15: each its own protocol error."""
    before = treasury.result("BalanceEx"), ChangeRequest.objects.count()
    for fields, error in REFUSED:
        assert treasury.error("Withdraw", **{**ADDRESS, "amount": "0.25", **fields}) == error, fields
    assert (treasury.result("BalanceEx"), ChangeRequest.objects.count()) == before
    assert treasury.result("WithdrawStatus") == []


def test_amounts_arrive_in_every_spelling_of_the_clients(treasury):
    for amount in ("0.25", "0.2500000000", "2.5e-1", "1e-03"):
        withdraw(treasury, amount)
    assert treasury.ask_json("Withdraw", {**ADDRESS, "amount": 0.25})["error"] == []
    assert treasury.ask_json("Withdraw", {**ADDRESS, "amount": 1e-03})["error"] == []
    assert treasury.ask_json("Withdraw", {**ADDRESS, "amount": True})["error"] == [INVALID]
    assert treasury.ask_json("Withdraw", {**ADDRESS, "amount": ["1"]})["error"] == [INVALID]
    assert treasury.result("Balance")["XXBT"] == "11.3980000000"


def test_the_right_address_and_a_sufficient_fee_pass(treasury):
    withdraw(treasury, address=BTC_COLD, max_fee="0.00005", aclass="currency", note="ignored")
    withdraw(treasury, key="BTC-COLD")


def test_without_the_permission_there_is_no_row(trading):
    assert trading.error("Withdraw", **ADDRESS, amount="0.25") == "EGeneral:Permission denied"
    assert trading.result("WithdrawStatus") == []


def test_status_lists_with_filters(treasury):
    first, second = withdraw(treasury), withdraw(treasury, "1", asset="ETH", key="eth-cold")
    assert [row["refid"] for row in treasury.result("WithdrawStatus", cursor="False")] == [second, first]
    assert [row["refid"] for row in treasury.result("WithdrawStatus", asset="eth")] == [second]
    assert [row["refid"] for row in treasury.result("WithdrawStatus", method="Bitcoin")] == [first]
    assert [row["refid"] for row in treasury.result("WithdrawStatus", limit=1)] == [second]
    now = timezone.now().timestamp()
    assert treasury.result("WithdrawStatus", start=f"{now + 1:.3f}") == []
    assert len(treasury.result("WithdrawStatus", end=f"{now + 1:.3f}", start="1.5")) == 2
    assert treasury.error("WithdrawStatus", asset="NOPE") == "EFunding:Unknown asset"
    for wrong in ({"limit": 0}, {"limit": 501}, {"limit": "x"}, {"start": "x"}, {"cursor": "nonsense"}):
        assert treasury.error("WithdrawStatus", **wrong) == INVALID


def test_status_pages_by_cursor(treasury):
    refids = [withdraw(treasury) for _ in range(5)][::-1]
    seen: list[str] = []
    cursor: object = True
    while cursor:
        page = treasury.result("WithdrawStatus", cursor=cursor, limit=2)
        assert page.keys() == {"withdrawals", "next_cursor"}
        seen += [row["refid"] for row in page["withdrawals"]]
        cursor = page["next_cursor"]
    assert seen == refids


def test_the_query_window_bounds_what_status_shows(treasury):
    """DESIGN K4: start inclusive, end exclusive."""
    start = timezone.now() - timedelta(days=3)
    with time_machine.travel(start, tick=False) as clock:
        refids = []
        for _ in range(3):
            refids.append(withdraw(treasury))
            clock.shift(timedelta(hours=1))
        ServiceUser.objects.filter(pk=treasury.bot.service_user.pk).update(
            query_start=start + timedelta(hours=1), query_end=start + timedelta(hours=2)
        )
        lifecycle.touch(treasury.bot.service_user)
        assert [row["refid"] for row in treasury.result("WithdrawStatus")] == [refids[1]]


def test_one_account_does_not_see_the_other(treasury, world):
    withdraw(treasury)
    assert Wire(world.bot("eve-bot")).result("WithdrawStatus") == []


def test_a_key_with_fifty_open_is_told_in_the_protocols_own_words(treasury, monkeypatch):
    """R6: the cap of one key; nothing is held for the one too many."""
    monkeypatch.setattr(room, "OPEN_PER_KEY", 2)
    for _ in range(2):
        withdraw(treasury, "0.01")
    before = treasury.result("Balance")
    assert treasury.error("Withdraw", **ADDRESS, amount="0.01") == "EGeneral:Too many requests"
    assert treasury.result("Balance") == before
