"""A rehearsal: who may ask for one, whose answers it takes, and that nothing comes of it."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from policies import registry
from policies.access import grant
from policies.changes import ask_again, cancel, expire, propose
from policies.inbox import queues
from policies.models import ChangeRequest, Grant, Group, GroupMember, Policy, State
from policies.operations import REHEARSE, Rehearse
from policies.progress import standing
from policies.workflows import Right, Workflow
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, NotFound, Refused
from tests.policies.conftest import again, events, is_untouched, no, yes
from tests.policies.rehearsing import asked_by, rehearse, rehearsed

WITHDRAWAL, ACCESS, POLICIES = Workflow.INITIATE_WITHDRAWAL, Workflow.MANAGE_ACCESS, Workflow.MANAGE_POLICIES
pytestmark = pytest.mark.django_db


def group_of(house, name, *members) -> Group:
    group = Group.objects.create(organization=house.organization, name=name, created_at=timezone.now())
    for member in members:
        GroupMember.objects.create(group=group, member=member)
    return group


@pytest.mark.parametrize("workflow", Workflow)
def test_a_rehearsal_takes_the_answer_of_everybody_who_may_approve(house, workflow):
    """Olive, Ben, Cleo and Fay may: whatever the policy says, and although Olive may execute."""
    house.policy(workflow, 1, always=False)
    change = rehearse(house.ana, workflow)
    assert (change.workflow, change.approvals_required, change.amount) == (workflow.value, 4, "")
    for member in (house.olive, house.ben, house.cleo):
        assert yes(change, member).state == State.PENDING
    assert yes(change, house.fay).state == State.EXECUTED
    assert events(change)[-2:] == ["workflow.rehearsed", "change.executed"]


def test_who_asks_shows_it_by_asking(house):
    change = rehearse(house.olive, WITHDRAWAL)
    assert change.approvals_required == 3
    assert house.olive.pk not in change.params["asked"]


def test_nothing_is_changed_by_a_rehearsal(house):
    house.policy(POLICIES, 2)
    before = list(Policy.objects.values()), list(Grant.objects.values())
    assert rehearsed(house.ana, POLICIES, house.olive, house.ben, house.cleo, house.fay).state == State.EXECUTED
    assert (list(Policy.objects.values()), list(Grant.objects.values())) == before
    kinds = set(AuditEvent.objects.filter(organization=house.organization).values_list("kind", flat=True))
    assert kinds == {"change.requested", "change.approved", "change.executed", "workflow.rehearsed"}


def test_no_lock_makes_a_rehearsal_harder(house):
    """P4: it is not protected; nor does a policy that asks for more than there are in it."""
    house.policy(ACCESS, 3, locked=True)
    for member in (house.olive, house.cleo, house.fay):
        Grant.objects.filter(member=member, workflow=POLICIES).delete()
    house.policy(POLICIES, 3, locked=True)
    change = rehearse(house.ana, POLICIES)
    assert change.approvals_required == 1
    assert yes(change, house.ben).state == State.EXECUTED


def test_of_a_group_everybody_in_it_answers(house):
    """Others of the workflow may answer as well; that does not stand for somebody of the group."""
    group = group_of(house, "Board", house.ben, house.cleo, house.otto)
    change = rehearse(house.ana, WITHDRAWAL, group=group.pk)
    assert change.title == "Rehearsal: Initiate Withdrawal, group Board"
    assert set(change.params["asked"]) == {house.ben.pk, house.cleo.pk}
    assert change.required.groups == ((group.pk, 2),)
    yes(change, house.ben)
    assert yes(change, house.fay).state == State.PENDING
    assert yes(change, house.cleo).state == State.EXECUTED


def test_one_no_ends_it_with_its_reason(house):
    change = rehearse(house.ana, WITHDRAWAL)
    assert no(change, house.ben, "Not on a Sunday.").state == State.REJECTED
    assert again(change).reason == "Not on a Sunday."


def test_one_that_expires_names_who_did_not_answer(house):
    change = rehearsed(house.ana, WITHDRAWAL, house.ben, house.olive)
    with time_machine.travel(change.expires_at + timedelta(seconds=1)):
        assert expire(change.reference).reason == "2 of 4 did not answer: Cleo and Fay."


def test_of_an_altered_one_that_expires_nothing_is_believed(house):
    change = rehearse(house.ana, WITHDRAWAL)
    ChangeRequest.objects.filter(pk=change.pk).update(params={"group": None, "group_name": "", "asked": []})
    with time_machine.travel(change.expires_at + timedelta(seconds=1)):
        assert expire(change.reference).reason == "Nobody finished it in time."


def test_who_leaves_meanwhile_leaves_it_to_expire(house):
    change = rehearsed(house.ana, WITHDRAWAL, house.olive, house.ben, house.cleo)
    Grant.objects.filter(member=house.fay).delete()
    assert standing(change, house.ana).stuck
    with time_machine.travel(change.expires_at + timedelta(seconds=1)):
        assert expire(change.reference).reason == "1 of 4 did not answer: Fay."


def test_it_waits_for_whoever_approves_for_one_account_only(house):
    """A rehearsal names no Account: whoever may approve for one of them is asked."""
    house.member("gus")
    grant(house.gus, WITHDRAWAL, Right.APPROVE, house.account)
    house.member("vic")
    grant(house.vic, WITHDRAWAL, Right.VIEW, house.account)
    change = rehearse(house.ana, WITHDRAWAL)
    assert house.gus.pk in change.params["asked"]
    assert list(queues.waiting_for(house.gus)) == [change]
    assert list(queues.visible(house.vic)) == [change]
    yes(change, house.gus)


@pytest.mark.parametrize("workflow", Workflow)
def test_who_may_not_ask_there_asks_for_no_rehearsal(house, workflow):
    with pytest.raises(Refused, match=f"does not hold Initiate on {workflow.title}"):
        rehearse(house.ben, workflow)
    assert is_untouched(house)


def test_no_bot_asks_for_a_rehearsal(house):
    key = house.bot()
    params = asked_by(house.ana, WITHDRAWAL)
    with pytest.raises(Refused, match="has no permission"):
        propose(REHEARSE[WITHDRAWAL], actor=key.service_user, params=params, api_key=key)


def test_each_asks_for_one_of_a_workflow_at_a_time(house):
    group = group_of(house, "Board", house.ben)
    rehearse(house.ana, WITHDRAWAL)
    with pytest.raises(Conflict, match="already asked in request 1"):
        rehearse(house.ana, WITHDRAWAL, group=group.pk)
    assert rehearse(house.ana, ACCESS).number == 2


def test_of_each_workflow_and_group_one_is_rehearsed_at_a_time(house):
    group = group_of(house, "Board", house.ben)
    first = rehearse(house.ana, WITHDRAWAL)
    with pytest.raises(Conflict, match="Request 1 rehearses this already"):
        rehearse(house.olive, WITHDRAWAL)
    assert rehearse(house.olive, WITHDRAWAL, group=group.pk).state == State.PENDING
    with time_machine.travel(first.expires_at + timedelta(seconds=1)):
        assert rehearse(house.olive, WITHDRAWAL).state == State.PENDING


def test_a_group_of_another_house_is_as_unknown_as_none(house, next_door):
    foreign = group_of(next_door, "Board", next_door.eve)
    for group in (foreign.pk, 0):
        with pytest.raises(NotFound):
            rehearse(house.ana, WITHDRAWAL, group=group)
    assert is_untouched(house)


def test_a_list_that_is_not_everybodys_is_refused(house):
    """Nobody leaves somebody out, and who was shown others before looks again."""
    params = asked_by(house.ana, WITHDRAWAL)
    wrong = (params.asked[:-1], (), (*params.asked, house.otto.pk), params.asked[::-1])
    for asked in wrong:
        with pytest.raises(Conflict, match="Who may approve has changed"):
            propose(REHEARSE[WITHDRAWAL], actor=house.ana, params=replace(params, asked=asked))
    with pytest.raises(Conflict):
        propose(REHEARSE[WITHDRAWAL], actor=house.ana, params=Rehearse(None, "Board", params.asked))
    assert is_untouched(house)


def test_without_anybody_else_there_is_no_rehearsal(house):
    group = group_of(house, "Empty", house.otto)
    with pytest.raises(Refused, match="Nobody else in Empty may approve"):
        rehearse(house.ana, WITHDRAWAL, group=group.pk)


def test_nobody_of_another_house_answers(house, next_door):
    change = rehearse(house.ana, WITHDRAWAL)
    with pytest.raises(NotFound):
        yes(change, next_door.eve)


def test_asked_again_it_asks_those_there_are_by_then(house):
    change = rehearse(house.ana, WITHDRAWAL)
    cancel(change.reference, actor=house.ana)
    house.member("gus", Right.APPROVE)
    anew = ask_again(change.reference, member=house.ana)
    assert house.gus.pk in anew.params["asked"]


def test_its_page_says_that_nothing_will_be_changed(house):
    change = rehearsed(house.ana, WITHDRAWAL, house.ben)
    said = registry.get(change.operation).describe(change)
    facts = {fact.label: fact.value for fact in said.facts}
    assert "Nothing will be changed." in said.sentence
    assert said.notices[0].title == "This is a rehearsal: nothing will be changed, and no money moves."
    assert facts == {
        "Changes": "nothing",
        "Who is asked": "Ben, Cleo, Fay and Olive",
        "Answered": "Ben",
        "Not yet": "Cleo, Fay and Olive",
    }
