"""What a bot sees of a withdrawal that all have agreed to and that waits for its time (DESIGN P7)."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from policies.changes.cancel_and_expire import ask_unknown_again
from policies.models import ChangeRequest, Policy, State
from policies.rules.language import Rule
from policies.snapshot.stored_rules import written_rules
from policies.workflows import Workflow
from tests.api.handlers.test_funding import approve, stage_of, withdraw

pytestmark = pytest.mark.django_db


@pytest.fixture
def refid(world, treasury, ben, fresh) -> str:
    """Ben agreed, and then it waits for a day."""
    policy = Policy.objects.get(organization=world.organization, workflow=Workflow.INITIATE_WITHDRAWAL)
    policy.rules, policy.approvals = written_rules((Rule(approvals=1, delay_hours=24),)), 1
    policy.save()
    asked = withdraw(treasury)
    assert approve(asked_as(asked), fresh, ben).is_delayed
    return asked


def asked_as(refid: str) -> ChangeRequest:
    return ChangeRequest.objects.get(withdrawal__reference=refid)


def test_it_stays_on_hold_as_if_it_waited(treasury, refid):
    assert stage_of(treasury, refid) == ("Initial", "onhold")


def test_the_bot_takes_it_back_in_time(treasury, refid):
    before = Decimal(treasury.result("Balance")["XXBT"])
    assert treasury.result("WithdrawCancel", asset="XBT", refid=refid) is True
    assert stage_of(treasury, refid) == ("Failure", "canceled")
    assert Decimal(treasury.result("Balance")["XXBT"]) == before + Decimal("0.25")
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=False):
        ask_unknown_again()
    assert asked_as(refid).state == State.CANCELLED


def test_once_its_time_has_come_it_goes_out(treasury, refid):
    with time_machine.travel(timezone.now() + timedelta(hours=24, minutes=1), tick=False):
        ask_unknown_again()
        assert asked_as(refid).state == State.EXECUTED
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=False):
        assert stage_of(treasury, refid)[0] == "Success"
