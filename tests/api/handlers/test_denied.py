"""What a policy lets nobody send, and what is over the cap of a key: the protocol's string, and why for people."""

from dataclasses import replace
from decimal import Decimal
from typing import TypedDict, Unpack

import pytest

from accounts.api_keys import usage
from accounts.api_keys.refused_calls import explain
from accounts.models import Member, RefusedCall, ServiceUser
from accounts.service_users.create_and_change import change_service_user
from accounts.service_users.key_settings import limits_of
from accounts.service_users.params import ChangeServiceUser
from policies.changes import propose
from policies.models import ChangeRequest, Policy
from policies.rules.language import Among, Rule
from policies.snapshot.stored_rules import written_rules
from portal.treasury.models import Withdrawal
from tests.factories.world import BTC_COLD

pytestmark = pytest.mark.django_db
DENIED = "EGeneral:Permission denied"
COLD = f"Bitcoin · {BTC_COLD}"
ASKED = {"asset": "XBT", "key": "btc-cold", "amount": "0.01"}


@pytest.fixture(autouse=True)
def _still(settings):
    """A bitcoin is 64,000 dollars: what is asked is worth 640."""
    settings.PAPER_PRICES = "still"


def rule_out(*rules: Rule) -> None:
    Policy.objects.filter(workflow="initiate_withdrawal").update(rules=written_rules((Rule(approvals=2), *rules)))


class Caps(TypedDict, total=False):
    withdrawal_cap: Decimal
    daily_cap: Decimal


def cap(owner: Member, **caps: Unpack[Caps]) -> None:
    bot = ServiceUser.objects.get(name="treasury-bot")
    before = limits_of(bot)
    params = ChangeServiceUser(bot.pk, bot.account_id, before, replace(before, **caps), acknowledged=True)
    propose(change_service_user, actor=owner, params=params)


def told() -> RefusedCall:
    usage.flush()
    return RefusedCall.objects.get()


@pytest.mark.parametrize(
    "rule",
    [
        Rule(deny=True),
        Rule(deny=True, amount=Decimal(640)),
        Rule(deny=True, amount=Decimal(640), with_day_sum=True),
        Rule(deny=True, destinations=Among((COLD,))),
        Rule(deny=True, destinations=Among(("elsewhere",), outside=True)),
        Rule(deny=True, younger_hours=24),
        Rule(deny=True, assets=Among(("XXBT",))),
        Rule(deny=True, asked_by="key"),
    ],
)
def test_a_withdrawal_that_is_denied_is_refused_at_once(treasury, rule):
    """With the string of a policy, and nothing held or asked."""
    before = treasury.result("Balance")
    rule_out(rule)
    assert treasury.error("Withdraw", **ASKED) == DENIED
    assert treasury.result("Balance") == before
    assert not Withdrawal.objects.exists()
    assert not ChangeRequest.objects.filter(operation="treasury.withdraw").exists()
    call = told()
    assert (call.reason, call.answer) == ("denied", DENIED)
    assert "Ask who manages policies." in explain(call).advice


@pytest.mark.parametrize(
    "rule",
    [
        Rule(deny=True, amount=Decimal("640.01")),
        Rule(deny=True, destinations=Among((COLD,), outside=True)),
        Rule(deny=True, assets=Among(("XETH",))),
        Rule(deny=True, asked_by="member"),
    ],
)
def test_what_no_rule_denies_waits_as_ever(treasury, rule):
    rule_out(rule)
    assert treasury.result("Withdraw", **ASKED)["refid"]
    [row] = treasury.result("WithdrawStatus")
    assert (row["status"], row["status-prop"]) == ("Initial", "onhold")


def test_what_is_over_the_cap_of_the_key_is_refused_likewise(treasury, owner):
    cap(owner, withdrawal_cap=Decimal("639.99"))
    assert treasury.error("Withdraw", **ASKED) == DENIED
    call = told()
    assert call.reason == "cap"
    assert explain(call).what == "treasury-bot withdraws 639.99 USD at most at once. This is 640 USD."
    assert "higher limit" in explain(call).advice


def test_a_cap_counts_from_the_next_call_on(treasury, owner):
    """K4."""
    assert treasury.result("Withdraw", **ASKED)["refid"]
    cap(owner, daily_cap=Decimal(1000))
    assert treasury.error("Withdraw", **ASKED) == DENIED
    assert "in 24 hours" in explain(told()).what
