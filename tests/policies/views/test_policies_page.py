"""The policies page, setting one and removing one."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.organizations.founding import add_member
from policies.changes import decide, propose
from policies.models import ChangeRequest, Grant, Policy
from policies.operations import ConfigurePolicy, configure_policy
from policies.workflows import Right, Workflow
from portal.audit.models import AuditEvent
from tests.policies.conftest import page
from tests.policies.rehearsing import rehearsed


def test_the_policies_page_shows_where_each_workflow_stands(audit, browser):
    text = browser(audit).get(reverse("policies:policies")).content.decode()
    assert text.count("Bootstrap") == 2
    assert text.count("Configured") == 1
    assert text.count("Enforced") == 1
    assert "does not: custodian of the key that asks" in text
    assert "Change" not in text


def test_a_policy_is_set_at_once_by_who_may_and_asked_for_by_others(owner, ana, ben, browser):
    url = reverse("policies:configure", args=["manage_access"])
    typed = {"approvals": "2", "always": "on", "open_hours": "24", "note": "From now on.", "acknowledged": "on"}
    client = browser(owner)
    assert "This happens at once." in client.get(url).content.decode()
    assert client.post(url, typed).status_code == 302
    policy = Policy.objects.get(organization=owner.organization, workflow="manage_access")
    assert (policy.approvals, policy.always, policy.open_hours) == (2, True, 24)
    client = browser(ana)
    assert "This will wait for" in client.get(url).content.decode()
    answer = client.post(url, {**typed, "approvals": "1"})
    change = ChangeRequest.objects.get(member=ana)
    assert answer.headers["Location"] == reverse("policies:request", args=[change.reference])
    text = page(browser(ben), change)
    assert "asks for less than now" in text
    policy.refresh_from_db()
    assert policy.approvals == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [("approvals", "0"), ("approvals", "21"), ("approvals", "x"), ("open_hours", "0"), ("open_hours", "721")],
)
def test_a_number_out_of_range_stands_beside_its_field(owner, browser, field, value):
    """DESIGN P1: 1 to 20 approvals, 1 hour to 30 days."""
    url = reverse("policies:configure", args=["manage_access"])
    typed = {"approvals": "2", "open_hours": "24", "note": "My note", field: value}
    text = browser(owner).post(url, typed).content.decode()
    assert 'aria-invalid="true"' in text
    assert "My note" in text
    assert not Policy.objects.filter(organization=owner.organization, workflow="manage_access").exists()


def test_a_dead_end_is_refused_beside_the_form(owner, browser):
    url = reverse("policies:configure", args=["initiate_withdrawal"])
    text = browser(owner).post(url, {"approvals": "4", "always": "on", "open_hours": "72"}).content.decode()
    assert "requests that nobody can finish" in text
    assert Policy.objects.get(organization=owner.organization, workflow="initiate_withdrawal").approvals == 2


def test_changing_a_policy_takes_a_second_factor(owner, browser, code):
    """SU-1: 5:01 later it is asked again."""
    client, url = browser(owner), reverse("policies:configure", args=["manage_access"])
    typed = {"approvals": "1", "open_hours": "72"}
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        assert "Authentication code" in client.get(url).content.decode()
        assert client.post(url, typed).status_code == 200
        assert client.post(url, {**typed, "code": code(owner)}).status_code == 302
    assert Policy.objects.filter(organization=owner.organization, workflow="manage_access").exists()


def test_a_policy_is_removed_after_a_page_that_says_what_follows(owner, browser):
    client, url = browser(owner), reverse("policies:remove", args=["initiate_withdrawal"])
    assert "Bots will then withdraw at once." in client.get(url).content.decode()
    assert client.post(url).status_code == 302
    assert not Policy.objects.filter(organization=owner.organization, workflow="initiate_withdrawal").exists()
    answer = client.post(url, follow=True)
    assert "has no policy" in answer.content.decode()


def test_policies_are_for_those_with_the_right(ben, audit, browser):
    for member in (ben, audit):
        client = browser(member)
        for name in ("configure", "remove"):
            url = reverse(f"policies:{name}", args=["manage_access"])
            assert client.get(url).status_code == 403
            assert client.post(url, {"approvals": "1", "open_hours": "1"}).status_code == 403
    Grant.objects.filter(member=audit).delete()
    assert browser(audit).get(reverse("policies:policies")).status_code == 403
    assert AuditEvent.objects.filter(kind="access.denied").count() == 9


def test_a_right_taken_away_between_reading_and_sending_counts(owner, browser):
    """AZ-5: the grant removed between GET and POST."""
    client, url = browser(owner), reverse("policies:configure", args=["manage_access"])
    client.get(url)
    Grant.objects.filter(member=owner, workflow=Workflow.MANAGE_POLICIES).delete()
    assert client.post(url, {"approvals": "1", "open_hours": "72"}).status_code == 403


def test_an_unknown_workflow_is_not_found(owner, browser):
    client = browser(owner)
    for name in ("configure", "remove"):
        assert client.get(reverse(f"policies:{name}", args=["password"])).status_code == 404


def test_a_policy_of_one_house_leaves_the_other_alone(owner, eve):
    params = ConfigurePolicy(Workflow.MANAGE_ACCESS, approvals=1, always=False)
    propose(configure_policy, actor=owner, params=params)
    assert not Policy.objects.filter(organization=eve.organization).exists()


def test_a_policy_is_locked_and_unlocked_from_its_page(owner, ana, ben, cleo, fay, fresh, browser):
    """P3: locked by as many as it asks for afterwards; unlocked only by asking."""
    rehearsed(owner, Workflow.INITIATE_WITHDRAWAL, ben, cleo, fay)
    client = browser(owner)
    url = reverse("policies:lock", args=["initiate_withdrawal"])
    assert "This is hard to take back." in client.get(url).content.decode()
    assert client.post(url, {"note": "For good."}).status_code == 302
    policy = Policy.objects.get(organization=owner.organization, workflow="initiate_withdrawal")
    assert not policy.is_locked
    asked = ChangeRequest.objects.get(operation="policies.lock_policy")
    for member in (ben, cleo):
        decide(asked.reference, member=member, approved=True, digest=asked.digest, proof=fresh(asked))
    policy = Policy.objects.get(pk=policy.pk)
    assert policy.is_locked
    shown = client.get(reverse("policies:policies")).content.decode()
    assert reverse("policies:unlock", args=["initiate_withdrawal"]) in shown
    url = reverse("policies:unlock", args=["initiate_withdrawal"])
    assert "This will wait for" in client.get(url).content.decode()
    answer = client.post(url, {"note": "", "acknowledged": "on"})
    change = ChangeRequest.objects.get(operation="policies.unlock_policy")
    assert answer.headers["Location"] == reverse("policies:request", args=[change.reference])
    policy.refresh_from_db()
    assert policy.is_locked


@pytest.mark.parametrize(
    ("route", "workflow", "said"),
    [
        ("lock", "manage_access", "Manage Access has no policy."),
        ("unlock", "manage_access", "Manage Access has no policy."),
        ("unlock", "initiate_withdrawal", "Initiate Withdrawal is not locked."),
    ],
)
def test_what_cannot_be_locked_leads_back_with_a_word(owner, browser, route, workflow, said):
    answer = browser(owner).get(reverse(f"policies:{route}", args=[workflow]), follow=True)
    assert said in answer.content.decode()


@pytest.mark.parametrize("route", ["lock", "unlock"])
def test_locking_is_asked_for_by_who_may_ask_and_by_nobody_else(ben, owner, browser, route):
    assert browser(ben).get(reverse(f"policies:{route}", args=["initiate_withdrawal"])).status_code == 403
    assert browser(owner).get(reverse(f"policies:{route}", args=["nothing"])).status_code == 404


def test_a_policy_weaker_than_it_says_shows_the_road_and_asks_for_a_word(owner, browser):
    """P6: whoever asks for what would be weaker than it says, acknowledges that first, and spends no code on it."""
    client = browser(owner)
    shown = client.get(reverse("policies:policies")).content.decode()
    assert "Initiate Withdrawal is weaker than its policy says." in shown
    assert "Olive Marsh alone can" in shown
    url = reverse("policies:configure", args=["manage_addresses"])
    typed = {"approvals": "2", "always": "on", "open_hours": "72"}
    answer = client.post(url, typed)
    assert answer.status_code == 200
    assert "Look at what follows from this, and say that you know." in answer.content.decode()
    assert Policy.objects.get(organization=owner.organization, workflow="manage_addresses").approvals == 1
    assert client.post(url, {**typed, "acknowledged": "on"}).status_code == 302
    assert Policy.objects.get(organization=owner.organization, workflow="manage_addresses").approvals == 2


def test_a_look_at_what_follows_changes_nothing(owner, browser):
    url = reverse("policies:configure", args=["initiate_withdrawal"])
    typed = {"approvals": "3", "always": "on", "open_hours": "72", "acknowledged": "on", "look": "1"}
    text = browser(owner).post(url, typed).content.decode()
    assert "Nothing is asked yet." in text
    assert "Spare people" in text
    assert Policy.objects.get(organization=owner.organization, workflow="initiate_withdrawal").approvals == 2


def test_what_a_policy_leaves_as_it_is_is_said_once(owner, browser):
    """Fault pages-1, step 11: "1 now, 1 then" says nothing. Fault pages-C8: no heading is skipped."""
    text = browser(owner).get(reverse("policies:roll_out", args=["manage_policies"])).content.decode()
    assert "Spare people: 1, as now." in text
    assert "<h3" not in text.partition("<main")[2].partition('<ol class="steps">')[2]


def test_without_a_policy_the_pages_say_that_bots_ask_nobody(owner, browser):
    """P2: a Service User's withdrawal runs at once where no policy governs it."""
    client = browser(owner)
    remove = reverse("policies:remove", args=["initiate_withdrawal"])
    says = "Keys that may withdraw do so at once."
    assert says in client.get(remove).content.decode()
    assert says not in client.get(reverse("policies:policies")).content.decode()
    assert client.post(remove, {"acknowledged": "on"}).status_code == 302
    for url in (reverse("policies:policies"), reverse("policies:configure", args=["initiate_withdrawal"])):
        assert says in client.get(url).content.decode()


def test_a_roll_out_leads_to_a_locked_policy_step_by_step(owner, ben, cleo, fay, browser):
    client = browser(owner)
    url = reverse("policies:roll_out", args=["manage_policies"]) + "?approvals=2"
    text = client.get(url).content.decode()
    assert text.count("Take this step") == 1
    configure = reverse("policies:configure", args=["manage_policies"])
    typed = {"approvals": "2", "open_hours": "72", "acknowledged": "on"}
    assert client.post(f"{configure}?step=2&approvals=2", typed).headers["Location"] == url
    assert client.get(url).content.decode().count("is-done") == 2
    client.post(f"{configure}?step=2", {**typed, "always": "on"})
    text = client.get(url).content.decode()
    assert text.count("is-done") == 3
    assert reverse("policies:lock", args=["manage_policies"]) not in text
    assert reverse("policies:rehearse", args=["manage_policies"]) in text
    rehearsed(owner, Workflow.MANAGE_POLICIES, ben, cleo, fay)
    text = client.get(url).content.decode()
    assert text.count("is-done") == 4
    assert reverse("policies:lock", args=["manage_policies"]) in text
    change = ask_to_lock(client)
    assert change.state == "pending"
    assert f"waits as request {change.number}" in client.get(url).content.decode()
    assert f"waits as request {change.number}" in client.get(reverse("policies:policies")).content.decode()


def ask_to_lock(client) -> ChangeRequest:
    client.post(reverse("policies:lock", args=["manage_policies"]) + "?step=2", {"acknowledged": "on"})
    return ChangeRequest.objects.get(operation="policies.lock_policy")


def test_a_roll_out_names_who_is_missing(owner, browser):
    """P5: a step that nobody could live with is not offered, and says whom it lacks."""
    url = reverse("policies:roll_out", args=["manage_policies"])
    text = browser(owner).get(url + "?approvals=5").content.decode()
    assert "Invite another approver for Manage Policies" in text
    assert "Take this step" not in text
    for junk in ("0", "999999999999999999999", "x", "-1", "٣"):
        assert browser(owner).get(url, {"approvals": junk}).status_code == 200


def test_anybody_can_be_chosen_to_see_who_could_approve(audit, ana, eve, browser):
    client = browser(audit)
    url = reverse("policies:policies")
    text = client.get(url, {"who": f"member-{ana.pk}"}).content.decode()
    assert text.count("may be away") == 4
    for foreign in (f"member-{eve.pk}", "member-0", "bot-x", "'"):
        text = client.get(url, {"who": foreign}).content.decode()
        assert "treasury-bot" in text
        assert "Eve Aldous" not in text


def test_the_policies_page_asks_as_much_of_the_database_for_twenty_members(audit, owner, browser):
    client, url = browser(audit), reverse("policies:policies")
    client.get(url)
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    for turn in range(20):
        add_member(
            owner.organization,
            User.objects.create(email=f"more{turn}@demo.test", name=f"More {turn}"),
            rights=[(workflow, Right.APPROVE) for workflow in Workflow],
        )
    with CaptureQueriesContext(connection) as many:
        client.get(url)
    assert len(many) == len(few)


def test_an_executed_policy_keeps_what_was_before_and_after(owner, browser):
    """fault pages-C13: the record says what stood there, long after it has been changed again."""
    _, change, _ = (
        propose(
            configure_policy,
            actor=owner,
            params=ConfigurePolicy(Workflow.MANAGE_ACCESS, approvals, always=False, open_hours=24),
        )
        for approvals in (1, 2, 3)
    )
    text = page(browser(owner), change)
    assert "Before and after" in text
    assert "</b> asked that <b>Manage Access</b> takes" in text
    assert [(field["then"], field["wanted"]) for field in change.touched if field["then"] != field["wanted"]]
    for field in change.touched:
        assert field["then"] in text
        assert field["wanted"] in text
