"""A batch and somebody else at the same moment, on two real connections."""

import pytest

from policies.inbox.batches import decide_all
from policies.models import State
from portal.audit import chain
from tests.policies.changes.test_races import race  # noqa: F401
from tests.policies.conftest import again, ask_tidy, yes
from tests.policies.inbox.test_batch import seen, shown
from tests.policies.operations import marks

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_batch_and_a_last_approval_have_one_outcome_for_each(house, race):  # noqa: F811
    """CR-5: approve ∥ reject, one of several."""
    changes = [ask_tidy(house.ana, "one"), ask_tidy(house.ana, "two")]
    chosen = [seen(change) for change in changes]
    proof = shown(chosen, approved=False)
    together, alone = race(
        lambda: decide_all(chosen, member=house.ben, approved=False, proof=proof, reason="No."),
        lambda: yes(changes[0], house.cleo),
    )
    executed = again(changes[0]).state == State.EXECUTED
    assert executed or again(changes[0]).state == State.REJECTED
    assert isinstance(alone, Exception) is not executed
    assert bool(together[0].refusal) is executed
    assert again(changes[1]).state == State.REJECTED
    assert marks("ran", changes[0]) == (1 if executed else 0)
    assert chain.verify(house.organization.pk) is None


def test_the_same_batch_sent_twice_decides_once(house, race):  # noqa: F811
    """CR-4: double click, two connections."""
    changes = [ask_tidy(house.ana, "one"), ask_tidy(house.ana, "two")]
    chosen = [seen(change) for change in changes]
    proof = shown(chosen, approved=True)
    both = race(
        *[lambda: decide_all(chosen, member=house.ben, approved=True, proof=proof) for _ in range(2)],
    )
    for place, change in enumerate(changes):
        assert sorted(bool(outcomes[place].refusal) for outcomes in both) == [False, True]
        assert (again(change).state, change.decisions.count(), marks("ran", change)) == (State.EXECUTED, 1, 1)
