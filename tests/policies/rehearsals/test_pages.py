"""Rehearsals on pages: asking for one, what is offered before and after, and who is named."""

from datetime import timedelta

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member, User
from accounts.organizations.founding import add_member
from policies.models import ChangeRequest, Grant, Group, GroupMember, State
from policies.workflows import Right, Workflow
from tests.policies.conftest import no, page
from tests.policies.rehearsing import rehearse, rehearsed

WITHDRAWAL = Workflow.INITIATE_WITHDRAWAL
LOCK, REHEARSE = (reverse(f"policies:{name}", args=[WITHDRAWAL.value]) for name in ("lock", "rehearse"))
POLICIES = reverse("policies:policies")


def main(client: Client, url: str) -> str:
    return client.get(url).content.decode().partition("<main")[2]


def test_a_rehearsal_is_asked_for_on_its_page(ana, ben, browser):
    """Ana may ask and not finish; for a rehearsal that makes no difference."""
    Grant.objects.get_or_create(member=ana, workflow=Workflow.MANAGE_POLICIES, right=Right.VIEW)
    client = browser(ana)
    text = main(client, REHEARSE)
    assert "Nothing will be changed, and no money moves." in text
    assert "Ben" in text
    answer = client.post(REHEARSE, {"group": "everybody", "note": "Before we lock."})
    change = ChangeRequest.objects.get(operation="policies.rehearse_initiate_withdrawal")
    assert answer.headers["Location"] == reverse("policies:request", args=[change.reference])
    assert (change.state, change.approvals_required, change.note) == (State.PENDING, 4, "Before we lock.")
    shown = page(browser(ben), change)
    assert "This is a rehearsal: nothing will be changed, and no money moves." in shown
    assert "Rehearsal: Initiate Withdrawal" in shown
    assert 'class="amount' not in shown


def test_a_group_is_chosen(owner, ben, browser):
    group = Group.objects.create(organization=owner.organization, name="Board", created_at=timezone.now())
    GroupMember.objects.create(group=group, member=ben)
    client = browser(owner)
    assert "Board" in main(client, REHEARSE)
    client.post(REHEARSE, {"group": str(group.pk)})
    change = ChangeRequest.objects.get(operation="policies.rehearse_initiate_withdrawal")
    assert change.params == {"group": group.pk, "group_name": "Board", "asked": [ben.pk]}


def test_what_is_no_group_stands_beside_its_field_and_nothing_typed_is_lost(owner, eve, browser):
    foreign = Group.objects.create(organization=eve.organization, name="Board", created_at=timezone.now())
    for group in (str(foreign.pk), "0", "x", "", "9" * 40):
        text = browser(owner).post(REHEARSE, {"group": group, "note": "My note"}).content.decode()
        assert 'aria-invalid="true"' in text
        assert "My note" in text
    assert browser(owner).get(f"{REHEARSE}?group={'9' * 40}").status_code == 200
    assert not ChangeRequest.objects.filter(subject="rehearsal").exists()


def test_a_second_one_is_refused_on_the_form(owner, ana, browser):
    first = rehearse(ana, WITHDRAWAL)
    client = browser(owner)
    assert f"waits as request {first.number}" in main(client, REHEARSE)
    text = client.post(REHEARSE, {"group": "everybody"}).content.decode()
    assert f"Request {first.number} rehearses this already." in text


def test_asking_takes_initiate_on_the_workflow_and_a_look_at_policies(ben, audit, browser):
    """Ben approves only, Audit views only."""
    for member in (ben, audit):
        assert browser(member).get(REHEARSE).status_code == 403
        assert browser(member).post(REHEARSE, {"group": "everybody"}).status_code == 403
    assert not ChangeRequest.objects.filter(subject="rehearsal").exists()


def test_an_unknown_workflow_is_not_found(owner, browser):
    assert browser(owner).get(reverse("policies:rehearse", args=["password"])).status_code == 404


def test_a_lock_is_offered_once_everybody_has_answered(owner, ana, ben, cleo, fay, browser):
    client = browser(owner)
    text = main(client, POLICIES)
    assert LOCK not in text
    assert REHEARSE in text
    change = rehearsed(owner, WITHDRAWAL, ben, cleo)
    assert "Not yet: <b>Fay" in main(client, POLICIES)
    assert f"waits as request {change.number}" in main(client, POLICIES)
    rehearsed(ana, Workflow.MANAGE_ACCESS, fay)
    assert LOCK not in main(client, POLICIES)
    no(change, fay, "I was asleep.")
    rehearsed(ana, WITHDRAWAL, fay)
    assert LOCK in main(client, POLICIES)


def test_who_may_not_ask_is_offered_nothing(audit, browser):
    text = main(browser(audit), POLICIES)
    assert "Not yet: <b>Ben" in text
    assert LOCK not in text
    assert "/rehearse/" not in text


def test_the_lock_page_asks_for_a_word_about_who_has_not_answered(owner, ben, browser):
    rehearsed(owner, WITHDRAWAL, ben)
    client = browser(owner)
    text = main(client, LOCK)
    assert "Not everybody has shown that they can approve." in text
    assert "<b>Cleo Sand, Fay Moon</b>" in " ".join(text.split()) or "Cleo" in text
    answer = client.post(LOCK, {"note": "For good."})
    assert answer.status_code == 200
    assert "Look at what follows from this, and say that you know." in answer.content.decode()
    assert "For good." in answer.content.decode()
    assert client.post(LOCK, {"note": "For good.", "acknowledged": "on"}).status_code == 302
    assert ChangeRequest.objects.filter(operation="policies.lock_policy").exists()


def test_the_lock_page_asks_for_no_word_once_everybody_has_answered(owner, ben, cleo, fay, browser):
    rehearsed(owner, WITHDRAWAL, ben, cleo, fay)
    client = browser(owner)
    assert "Not everybody has shown" not in main(client, LOCK)
    assert client.post(LOCK, {"note": ""}).status_code == 302


def test_the_last_rehearsal_and_who_answered_it_are_told(owner, ben, cleo, browser):
    change = rehearsed(owner, WITHDRAWAL, ben, cleo)
    text = main(browser(owner), POLICIES).partition("Who answers")[2]
    assert f"Request {change.number}" in text
    assert text.count("answered <time") == 2
    assert "not yet" in text


def test_silent_approvers_are_named_with_since_when(owner, ana, ben, audit, browser, decided):
    Member.objects.filter(organization=owner.organization).update(joined_at=timezone.now() - timedelta(days=400))
    decided(Workflow.MANAGE_ACCESS, 10, ben, asker=ana)
    ChangeRequest.objects.filter(subject_member__isnull=False).exclude(state="pending").update(subject_member=None)
    text = main(browser(audit), POLICIES).partition("Who answers")[2]
    assert "has decided nothing here since" in text
    assert "<b>Cleo" in text
    assert "<b>Ben" not in text.partition("Silent")[2].partition("Manage Policies")[0]


def test_the_policies_page_takes_as_many_statements_for_two_hundred_members(
    audit, owner, ana, ben, browser, decided, time_machine
):
    """However many were asked, answered, or are silent."""
    # A minute later each page notes besides that its reader is there.
    time_machine.move_to(timezone.now(), tick=False)

    def statements():
        with CaptureQueriesContext(connection) as made:
            client.get(POLICIES)
        return len(made)

    for workflow in Workflow:
        rehearse(owner, workflow)
        decided(workflow, 12, ben, asker=ana)
    client = browser(audit)
    statements()
    few = statements()
    for turn in range(200):
        user = User.objects.create(email=f"more{turn}@demo.test", name=f"More {turn}")
        add_member(owner.organization, user, rights=[(workflow, Right.APPROVE) for workflow in Workflow])
    for workflow in Workflow:
        decided(workflow, 200, ben, asker=ana)
    assert statements() == few
