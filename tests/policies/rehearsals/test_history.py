"""Who has answered a rehearsal lately, and how ready a workflow is to be locked."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from policies.models import ChangeRequest, Grant
from policies.rehearsals.history import past
from policies.snapshot import gather
from policies.workflows import Right, Workflow
from tests.database.plans import analyze, readings
from tests.policies.conftest import no
from tests.policies.rehearsals.test_rehearsing import group_of
from tests.policies.rehearsing import rehearse, rehearsed

WITHDRAWAL, ACCESS = Workflow.INITIATE_WITHDRAWAL, Workflow.MANAGE_ACCESS
pytestmark = pytest.mark.django_db


def ready(house, workflow=WITHDRAWAL):
    return past(house.organization, gather(house.organization)).ready[workflow]


def test_without_a_rehearsal_nobody_has_answered(house):
    found = ready(house)
    assert (found.approvers, found.missing, found.is_ready) == (4, ("Ben", "Cleo", "Fay", "Olive"), False)


def test_a_workflow_is_ready_once_everybody_who_may_approve_has_answered(house):
    rehearsed(house.olive, WITHDRAWAL, house.ben, house.cleo)
    found = ready(house)
    assert (found.missing, found.is_ready, found.answered) == (("Fay",), False, 3)
    assert found.waiting is not None
    rehearsed(house.ana, ACCESS, house.fay)
    assert ready(house).missing == ("Fay",)
    group = group_of(house, "Board", house.fay)
    rehearsed(house.ana, WITHDRAWAL, house.fay, group=group.pk)
    assert ready(house).is_ready


def test_an_answer_counts_for_thirty_days(house):
    rehearsed(house.ana, WITHDRAWAL, house.olive, house.ben, house.cleo, house.fay)
    with time_machine.travel(timezone.now() + timedelta(days=29, hours=23)):
        assert ready(house).is_ready
    with time_machine.travel(timezone.now() + timedelta(days=30, minutes=1)):
        assert ready(house).answered == 0


def test_whoever_comes_later_has_not_answered(house):
    rehearsed(house.ana, WITHDRAWAL, house.olive, house.ben, house.cleo, house.fay)
    house.member("gus", Right.APPROVE)
    assert ready(house).missing == ("Gus",)


def test_who_may_not_approve_any_more_is_not_missed(house):
    rehearsed(house.ana, WITHDRAWAL, house.olive, house.ben, house.cleo)
    Grant.objects.filter(member=house.fay).delete()
    assert ready(house).is_ready


def test_a_no_is_no_answer(house):
    change = rehearse(house.olive, WITHDRAWAL)
    no(change, house.ben)
    assert "Ben" in ready(house).missing
    assert ready(house).waiting is None


def test_what_was_shown_with_old_factors_counts_no_more(house):
    """M4: it was perhaps somebody else who answered."""
    rehearsed(house.ana, WITHDRAWAL, house.olive, house.ben, house.cleo, house.fay)
    house.ben.factors_reset_at = timezone.now()
    house.ben.save(update_fields=["factors_reset_at"])
    assert ready(house).missing == ("Ben",)


def test_a_rehearsal_next_door_is_none_of_ours(house, next_door):
    rehearsed(next_door.member("zoe", Right.INITIATE), WITHDRAWAL, next_door.eve)
    assert ready(house).answered == 0
    assert not past(house.organization, gather(house.organization)).last


def test_an_altered_rehearsal_answers_for_nobody(house):
    change = rehearsed(house.ana, WITHDRAWAL, house.olive, house.ben, house.cleo, house.fay)
    ChangeRequest.objects.filter(pk=change.pk).update(params={**change.params, "asked": []})
    assert ready(house).answered == 0


def test_the_last_of_each_workflow_and_group_is_told(house):
    group = group_of(house, "Board", house.ben, house.cleo)
    no(rehearse(house.ana, WITHDRAWAL), house.ben)
    second = rehearsed(house.olive, WITHDRAWAL, house.cleo)
    of_group = rehearsed(house.ana, ACCESS, house.ben, house.cleo, group=group.pk)
    last = past(house.organization, gather(house.organization)).last
    assert [one.change for one in last] == [of_group, second]
    assert [one.group for one in last] == ["Board", ""]
    assert [[answer.name for answer in one.answers] for one in last] == [["Ben", "Cleo"], ["Cleo"]]
    assert [one.missing for one in last] == [(), ("Ben", "Fay")]
    assert all(answer.at <= timezone.now() for one in last for answer in one.answers)


def test_all_rehearsals_are_read_in_one_statement(house):
    facts = gather(house.organization)
    for workflow in Workflow:
        rehearsed(house.ana, workflow, house.ben, house.cleo)
    with CaptureQueriesContext(connection) as made:
        past(house.organization, facts)
    assert len(made) == 1


@pytest.mark.postgresql
def test_rehearsals_are_found_along_their_index(house, many_decided):
    """However much else was ever asked for."""
    rehearsed(house.ana, WITHDRAWAL, house.ben, house.cleo)
    analyze("policies_changerequest", "policies_decision")
    facts = gather(house.organization)
    found = readings(lambda: past(house.organization, facts))
    assert sum(reading.rows["policies_changerequest"] for reading in found) <= 10
