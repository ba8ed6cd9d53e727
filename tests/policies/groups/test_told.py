"""Who is told of a change of a group with which nobody else had to agree, and what can be asked again."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from policies.changes import ask_again
from policies.models import ChangeRequest, State
from policies.workflows import Workflow
from portal.core.errors import NotFound
from tests.policies.conftest import no
from tests.policies.groups.conftest import ask_of, change, create, in_it, remove
from tests.policies.notifications.test_mail import told

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_queue(db, mailoutbox):
    DBTaskResult.objects.all().delete()


def test_power_that_one_person_moves_alone_is_told_to_all_who_look(house, make):
    board = make("Board", house.ben, house.cleo)
    ask_of(house, board, 1, workflow=Workflow.MANAGE_ADDRESSES)
    assert change(house.olive, board, members=[house.ben, house.fay]).state == State.EXECUTED
    assert told() == ["ana", "ben", "cleo", "fay", "otto"]


def test_what_moves_no_power_is_told_to_nobody(house, make):
    """A group that nothing asks for gives nothing, and neither does a name."""
    board = make("Board", house.ben, house.cleo)
    ask_of(house, board, 1, workflow=Workflow.MANAGE_ADDRESSES)
    change(house.olive, board, name="Directors")
    change(house.olive, make("Team", house.ben), members=[house.cleo])
    create(house.olive, "Finance", house.ben)
    assert told() == []


@pytest.mark.parametrize("what", ["change", "remove"])
def test_what_was_rejected_is_asked_again_of_the_group_as_it_is_then(house, make, browser, what):
    board = make("Board", house.ben, house.cleo)
    asked = change(house.ana, board, members=[house.ben, house.fay]) if what == "change" else remove(house.ana, board)
    no(asked, house.olive)
    change(house.olive, board, name="Directors", members=[house.ben, house.cleo, house.otto])
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        assert browser(house.ana).get(reverse("policies:ask_again", args=[asked.reference])).status_code == 200
        anew = ask_again(asked.reference, member=house.ana)
    assert (anew.state, anew.title.split()[-1]) == (State.PENDING, "Directors")
    assert in_it(board) == {"Ben", "Cleo", "Otto"}


def test_a_group_that_is_gone_is_not_asked_about_again(house, make, browser):
    board = make("Board", house.ben)
    asked = remove(house.ana, board)
    remove(house.olive, board)
    assert ChangeRequest.objects.get(pk=asked.pk).state == State.STALE
    with pytest.raises(NotFound, match="no such group any more"):
        ask_again(asked.reference, member=house.ana)
    assert browser(house.ana).get(reverse("policies:ask_again", args=[asked.reference])).status_code == 200
