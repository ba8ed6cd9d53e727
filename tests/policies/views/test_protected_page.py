"""A request that a lock protects says so, and why it takes as many approvals as it does (DESIGN P4, R7)."""

import pytest
from django.urls import reverse

from policies.changes import propose
from policies.models import Policy
from policies.operations import ConfigurePolicy, configure_policy
from policies.workflows import Workflow
from tests.policies.conftest import ask_tidy, page

MONEY = Workflow.INITIATE_WITHDRAWAL


@pytest.fixture
def lock(world):
    def locked(**more):
        Policy.objects.filter(organization=world.organization, workflow=MONEY).update(is_locked=True, **more)

    return locked


def test_the_page_says_what_protects_it_and_how_many_it_takes(ana, ben, browser, lock):
    lock(approvals=3)
    change = propose(
        configure_policy, actor=ana, params=ConfigurePolicy(workflow=MONEY, approvals=2, always=True, open_hours=72)
    )
    text = page(browser(ben), change)
    assert "Protected, because Initiate Withdrawal is locked." in text
    assert "so it takes 3 approvals at least, and never runs at once." in text
    assert "0 of 3" in text
    together = browser(ben).get(reverse("policies:batch"), {"change": change.reference, "decision": "approve"})
    assert "Protected, because Initiate Withdrawal is locked." in together.content.decode()


def test_nothing_is_said_of_what_no_lock_protects(ana, ben, browser, lock):
    change = ask_tidy(ana)
    assert "Protected, because" not in page(browser(ben), change)
    lock()
    assert "Protected, because" not in page(browser(ben), change)
