"""Two people at once on two real connections: a rehearsal has every answer, ends once, and is there once."""

import pytest

from policies.models import ChangeRequest, State
from policies.rehearsals.history import past
from policies.snapshot import gather
from policies.workflows import Workflow
from portal.audit import chain
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict
from tests.policies.changes.test_races import one_conflict, race, state
from tests.policies.conftest import no, yes
from tests.policies.rehearsing import rehearse, rehearsed

__all__ = ["race"]
pytestmark = pytest.mark.django_db(transaction=True)
WITHDRAWAL = Workflow.INITIATE_WITHDRAWAL


def test_two_last_answers_at_once_both_count(house, race):
    change = rehearsed(house.olive, WITHDRAWAL, house.ben)
    outcomes = race(lambda: yes(change, house.cleo), lambda: yes(change, house.fay))
    assert sorted(outcome.state for outcome in outcomes) == [State.EXECUTED, State.PENDING]
    assert (state(change), change.decisions.count()) == (State.EXECUTED, 3)
    assert AuditEvent.objects.filter(kind="workflow.rehearsed").count() == 1
    assert past(house.organization, gather(house.organization)).ready[WITHDRAWAL].is_ready
    assert chain.verify(house.organization.pk) is None


def test_the_last_answer_and_a_no_at_once_have_one_outcome(house, race):
    change = rehearsed(house.olive, WITHDRAWAL, house.ben, house.cleo)
    house.member("gus", "approve")
    outcomes = race(lambda: yes(change, house.fay), lambda: no(change, house.gus))
    assert one_conflict(outcomes), outcomes
    assert state(change) in (State.EXECUTED, State.REJECTED)


def test_of_two_who_ask_at_once_one_is_told_that_it_is_asked(house, race):
    outcomes = race(lambda: rehearse(house.ana, WITHDRAWAL), lambda: rehearse(house.olive, WITHDRAWAL))
    assert one_conflict(outcomes), outcomes
    assert "rehearses this already" in next(str(one) for one in outcomes if isinstance(one, Conflict))
    assert ChangeRequest.objects.filter(subject="rehearsal").count() == 1
