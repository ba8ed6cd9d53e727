"""The list of people and what they may do."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.grants import Given, in_words, ordered
from accounts.models import Member, User
from accounts.organizations.founding import add_member
from policies.workflows import Right, Workflow

pytestmark = pytest.mark.django_db
MEMBERS = "/members/"


def text_of(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_everybody_is_listed_with_what_they_may_do(client, audit, sign_in):
    sign_in(client, audit)
    text = text_of(client.get(MEMBERS))
    for told in ("Ana Ruiz", "ana@demo.test", "Initiate everywhere", "Approve everywhere", "All rights everywhere"):
        assert told in text
    assert "Otto Berg (you)" in text
    assert text.count(">Owner<") == 1


def test_the_neighbours_are_not(client, owner, sign_in):
    sign_in(client, owner)
    assert "Eve Aldous" not in text_of(client.get(MEMBERS))


def test_states_are_said(client, owner, ben, cleo, sign_in):
    Member.objects.filter(pk=ben.pk).update(suspended_at=timezone.now())
    Member.objects.filter(pk=cleo.pk).update(removed_at=timezone.now())
    sign_in(client, owner)
    text = text_of(client.get(MEMBERS))
    assert "Suspended" in text
    assert "Removed" in text


def test_rights_that_differ_are_said_one_by_one():
    held = ordered(
        [
            Given(Workflow.INITIATE_WITHDRAWAL, Right.INITIATE, 7),
            Given(Workflow.INITIATE_WITHDRAWAL, Right.APPROVE),
            Given(Workflow.INITIATE_WITHDRAWAL, Right.APPROVE, 7),
            Given(Workflow.MANAGE_ACCESS, Right.VIEW),
        ]
    )
    assert in_words(held, {7: "Main"}) == (
        "Manage Access: View",
        "Initiate Withdrawal: Approve; Initiate on Main",
    )
    assert in_words((), {}) == ()


def test_many_members_take_as_many_queries_as_few(client, world, owner, sign_in):
    sign_in(client, owner)
    client.get(MEMBERS)
    with CaptureQueriesContext(connection) as few:
        client.get(MEMBERS)
    for number in range(20):
        user = User.objects.create(email=f"n{number}@demo.test", name=f"Number {number}")
        add_member(world.organization, user, rights=[(Workflow.MANAGE_ACCESS, Right.VIEW)])
    with CaptureQueriesContext(connection) as many:
        assert "Number 19" in text_of(client.get(MEMBERS))
    assert len(many) == len(few)


def test_nobody_writes_there(client, owner, sign_in):
    sign_in(client, owner)
    assert client.post(MEMBERS).status_code == 405
