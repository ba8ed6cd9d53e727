"""One rejection does not end what only takes power away: two who act together do not keep each other in (DESIGN R5)."""

import pytest
from django.urls import reverse

from accounts import grants
from accounts.grants import Given
from accounts.members.change_rights import ChangeRights, change_rights
from accounts.members.end_membership import RemoveMember, remove_member
from policies.changes import propose
from policies.models import Decision, State
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.core.errors import Conflict
from tests.policies.conftest import again, ask_tidy, events, no, page, yes

ACCESS = Workflow.MANAGE_ACCESS


def test_one_rejection_does_not_end_it(house):
    """fault rules-R5."""
    house.policy(ACCESS, 2)
    change = ask_tidy(house.ana, takes=True)
    assert no(change, house.ben, "He is a friend.").state == State.PENDING
    assert events(change)[-1] == EventKind.CHANGE_OPPOSED
    with pytest.raises(Conflict, match="already decided"):
        yes(change, house.ben)
    yes(change, house.cleo)
    assert yes(change, house.fay).state == State.EXECUTED


def test_it_ends_once_too_few_are_left(house):
    """fault rules-R5."""
    house.policy(ACCESS, 3)
    change = ask_tidy(house.ana, takes=True)
    assert no(change, house.ben).state == State.PENDING
    ended = no(change, house.cleo, "We need her.")
    assert (ended.state, ended.ended_by, ended.reason) == (State.REJECTED, "Cleo", "We need her.")


def test_whoever_may_not_decide_any_more_is_not_left(house):
    house.policy(ACCESS, 3)
    change = ask_tidy(house.ana, takes=True)
    house.fay.grants.all().delete()
    assert no(change, house.ben).state == State.REJECTED


def test_what_gives_power_ends_by_one_rejection(house):
    assert no(ask_tidy(house.ana), house.ben).state == State.REJECTED


@pytest.mark.parametrize(("gains", "ends"), [((), State.PENDING), ((Right.EXECUTE,), State.REJECTED)])
def test_fewer_rights_take_power_away_and_others_do_not(house, gains, ends):
    """fault rules-R5: one right less; with one that they did not hold, it is a change like any other."""
    before = grants.of(house.fay)
    after = grants.ordered([*before[1:], *(Given(ACCESS, right) for right in gains)])
    change = propose(change_rights, actor=house.ana, params=ChangeRights(house.fay.pk, before, after))
    assert no(change, house.ben).state == ends


def test_removing_a_member_takes_power_away(house):
    """fault rules-R5: two rogues rejected for each other."""
    params = RemoveMember(house.ben.pk, ())
    change = propose(remove_member, actor=house.ana, params=params)
    assert no(change, house.cleo).state == State.PENDING
    assert yes(change, house.fay).state == State.EXECUTED
    assert Decision.objects.filter(change=change, approved=False).count() == 1


def test_the_page_says_so(world, ana, ben, browser, code):
    """fault rules-R5."""
    change = ask_tidy(ana, takes=True)
    client = browser(ben)
    assert "so one rejection does not end it" in " ".join(page(client, change).split())
    values = {"digest": change.digest, "reason": "No.", "code": code(ben), "decision": "reject"}
    answer = client.post(reverse("policies:decide", args=[change.reference]), values, follow=True)
    assert "Your rejection is recorded" in answer.content.decode()
    assert again(change).state == State.PENDING
    assert "One rejection ends the request." in " ".join(page(client, ask_tidy(ana, "the roof")).split())
