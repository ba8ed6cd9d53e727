"""What was agreed to and not sent yet waits where rules ask for a delay by now, and goes out afterwards (DESIGN P7)."""

from datetime import timedelta

import pytest

from policies.changes import decide
from policies.changes.cancel_and_expire import ask_unknown_again
from policies.models import Policy, State
from policies.rules.language import Rule
from policies.snapshot.stored_rules import written_rules
from policies.workflows import Workflow
from portal.venues.kraken.models import Step
from tests.factories import people

MONEY = Workflow.INITIATE_WITHDRAWAL
A_WHILE = written_rules((Rule(approvals=2, delay_hours=6),))


@pytest.fixture
def delayed(real):
    """Its intent is written when the policy begins to ask for six hours."""
    change = real.agreed()
    Policy.objects.filter(organization=real.world.organization, workflow=MONEY).update(rules=A_WHILE)
    ask_unknown_again()
    change.refresh_from_db()
    assert change.is_delayed
    return change


@pytest.mark.django_db
def test_it_is_sent_when_its_time_has_come_and_not_before(real, later, delayed):
    real.tend()
    assert (real.step(delayed), real.state(delayed), real.there()) == (Step.INTENDED, State.APPROVED, [])
    assert real.proxy.requests("Withdraw") == []
    with later(timedelta(hours=6, minutes=1).total_seconds()):
        ask_unknown_again()
        real.tend()
    assert (real.step(delayed), real.state(delayed), len(real.there())) == (Step.ACCEPTED, State.EXECUTED, 1)


@pytest.mark.django_db
def test_one_no_ends_it_until_then(real, fay, delayed):
    real.tend()
    proof = people.proof(delayed)
    decide(delayed.reference, member=fay, approved=False, digest=delayed.digest, proof=proof, reason="Not ours.")
    assert (real.step(delayed), real.state(delayed), real.there()) == (Step.RELEASED, State.REJECTED, [])
