"""A policy that says what no policy can: it is not set, and where it stands nothing it governs goes through (P1)."""

import pytest
from django.db import connection
from django.urls import reverse

from policies.changes import propose
from policies.models import Decision, Policy, State
from policies.operations import ConfigurePolicy, LockPolicy, configure_policy, lock_policy
from policies.workflows import Workflow
from portal.core.errors import Invalid, Refused
from tests.policies.conftest import again, ask_tidy, page
from tests.policies.views.test_request_page import post

pytestmark = pytest.mark.django_db
ACCESS, POLICIES, _, MONEY = Workflow
SAID = "cannot be read, so nothing that it governs goes through"


@pytest.fixture
def spoil(world):
    """Write a policy around the constraints, as somebody with the database in their hands could."""

    def spoiled(workflow, **fields):
        defaults = {"approvals": 2, "always": True, "open_hours": 72, "changed_at": world.organization.created_at}
        rows = Policy.objects.filter(organization=world.organization, workflow=workflow.value)
        if not rows.exists():
            Policy.objects.create(organization=world.organization, workflow=workflow.value, **defaults)
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA ignore_check_constraints = ON")
            else:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute("ALTER TABLE policies_policy DROP CONSTRAINT IF EXISTS policy_approvals_in_range")
        rows.update(approvals=0, **fields)

    yield spoiled
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


def test_the_board_says_so_of_that_workflow_alone(ben, browser, spoil):
    spoil(ACCESS)
    text = browser(ben).get(reverse("policies:inbox")).content.decode()
    assert text.count("its policy cannot be read") == 1
    assert "2 approvals, always" in text


def test_a_request_says_what_stops_it_and_a_yes_is_refused_and_not_counted(ana, ben, browser, spoil):
    """CR-14: refused, never zero approvals."""
    change = ask_tidy(ana)
    spoil(ACCESS)
    client = browser(ben)
    assert SAID in page(client, change)
    answer = post(client, change, decision="approve")
    assert answer.status_code == 200
    assert SAID in answer.content.decode()
    assert again(change).state == State.PENDING
    assert not Decision.objects.exists()


def test_what_a_lock_protects_does_not_name_a_number_that_nobody_knows(ana, ben, browser, spoil):
    Policy.objects.filter(organization=ana.organization, workflow=MONEY.value).update(is_locked=True)
    change = propose(configure_policy, actor=ana, params=ConfigurePolicy(MONEY, 3, always=True))
    spoil(MONEY)
    text = page(browser(ben), change)
    assert "Protected, because Initiate Withdrawal is locked." in text
    assert f"so the policy of Initiate Withdrawal {SAID}" not in text, "it is said once"
    assert "holds, the policy of Initiate Withdrawal cannot be read" in text
    assert "approvals at least" not in text


def test_what_a_change_of_another_policy_leads_to_is_left_open(ana, ben, browser, spoil):
    change = propose(configure_policy, actor=ana, params=ConfigurePolicy(MONEY, 3, always=True))
    assert "Effective strength" in page(browser(ben), change)
    spoil(ACCESS)
    spoil(POLICIES)
    spoil(MONEY)
    text = page(browser(ben), change)
    assert "Effective strength" not in text
    assert "Ana Ruiz" in text


def test_a_brake_is_offered_all_the_same_and_says_who_cannot_lift_it_yet(ana, treasury_bot, browser, spoil):
    """DESIGN §4: nobody who sees a bot go wrong waits for somebody to mend a policy."""
    spoil(ACCESS)
    client = browser(ana)
    way = reverse("accounts:suspend", args=["treasury-bot"])
    assert SAID in client.get(way).content.decode()
    assert client.post(way, {"reason": "It spins."}).status_code == 302
    treasury_bot.service_user.refresh_from_db()
    assert treasury_bot.service_user.suspended_at is not None


def test_nobody_locks_another_policy_by_one_that_cannot_be_read(owner, spoil):
    spoil(POLICIES)
    with pytest.raises(Refused, match="cannot be read"):
        propose(lock_policy, actor=owner, params=LockPolicy(MONEY, 2, always=True))
    assert not Policy.objects.get(organization=owner.organization, workflow=MONEY.value).is_locked


@pytest.mark.parametrize(
    ("terms", "field"),
    [((0, 72), "approvals"), ((21, 72), "approvals"), ((2, 0), "open_hours"), ((2, 721), "open_hours")],
)
def test_no_policy_says_what_no_policy_can_whatever_road_it_came_by(house, terms, field):
    """P1: the form says so as well, and is not alone in it."""
    approvals, open_hours = terms
    with pytest.raises(Invalid) as refusal:
        propose(configure_policy, actor=house.olive, params=ConfigurePolicy(MONEY, approvals, True, open_hours))
    assert refusal.value.field == field
    assert not Policy.objects.filter(organization=house.organization).exists()
