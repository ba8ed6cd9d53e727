"""The box above the button says what follows from the boxes as they are ticked (DESIGN P4)."""

import pytest
from django.urls import reverse
from django.utils import timezone

from policies.models import Policy

pytestmark = pytest.mark.django_db
AT_ONCE, WAITS = "This happens at once.", "This will wait for 2 approvals."


@pytest.fixture
def locked(world):
    """Withdrawals are locked with two approvals; Manage Access itself has no policy."""
    Policy.objects.filter(organization=world.organization, workflow="initiate_withdrawal").update(
        is_locked=True, changed_at=timezone.now()
    )


def box(answer):
    text = answer.content.decode()
    return text[text.index('id="forecast"') :][:900]


@pytest.mark.parametrize(
    ("ticks", "says"), [([], AT_ONCE), (["manage_access:view"], AT_ONCE), (["manage_access:approve"], WAITS)]
)
def test_the_box_of_an_invitation_follows_the_ticks(client, owner, locked, sign_in, ticks, says):
    """fault pages-B6: with the Approver preset ticked it still said that this happens at once."""
    sign_in(client, owner)
    path = reverse("accounts:invite")
    asked = client.get(path, {"ticks": "1", "rights": ticks})
    posted = client.post(path, {"name": "", "rights": ticks})
    for answer in (asked, posted):
        assert says in box(answer)
    text = asked.content.decode()
    assert ("Ask for approval" in text) == (says == WAITS)


def test_the_box_of_a_preset_is_right_without_scripts(client, owner, locked, sign_in):
    """fault pages-B6"""
    sign_in(client, owner)
    path = reverse("accounts:invite")
    assert WAITS in box(client.get(path, {"preset": "approver"}))
    assert AT_ONCE in box(client.get(path, {"preset": "auditor"}))


def test_the_box_of_other_rights_counts_what_is_gained(client, world, owner, ben, locked, sign_in):
    """fault pages-B6: taking rights away protects nothing, giving them does."""
    sign_in(client, owner)
    path = reverse("accounts:change_rights", args=[ben.pk])
    assert AT_ONCE in box(client.get(path))
    assert AT_ONCE in box(client.get(path, {"ticks": "1", "rights": ["manage_access:approve"]}))
    assert WAITS in box(client.get(path, {"ticks": "1", "rights": ["manage_access:execute"]}))


def test_the_box_of_a_bot_follows_withdraw(client, world, owner, locked, sign_in):
    """fault pages-B6"""
    sign_in(client, owner)
    path = reverse("accounts:new_service_user")
    assert AT_ONCE in box(client.get(path, {"ticks": "1", "permissions": ["query-funds"]}))
    assert WAITS in box(client.get(path, {"ticks": "1", "permissions": ["query-funds", "withdraw-funds"]}))
    change = reverse("accounts:change_service_user", args=["readonly-bot"])
    assert AT_ONCE in box(client.get(change))
    assert WAITS in box(client.get(change, {"ticks": "1", "permissions": ["query-funds", "withdraw-funds"]}))
