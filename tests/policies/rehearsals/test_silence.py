"""Silent approvers: who could have decided ten requests, decided none of them, and nothing in thirty days."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account, Member
from policies.models import State
from policies.rehearsals.silence import LOOK_BACK, MISSED, silent_approvers
from policies.snapshot import gather
from policies.workflows import Right, Workflow
from tests.database.plans import analyze, readings
from tests.policies.conftest import make_user

WITHDRAWAL, ACCESS = Workflow.INITIATE_WITHDRAWAL, Workflow.MANAGE_ACCESS
pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def house(house):
    """The same people, who have been there for a year."""
    Member.objects.update(joined_at=timezone.now() - 365 * DAY)
    return house


def silent(house, workflow=WITHDRAWAL):
    found = silent_approvers(house.organization, gather(house.organization))
    return {one.name: one.since for one in found if one.workflow == workflow}


def days_ago(at):
    return (timezone.now() - at).days


def test_who_decided_none_of_ten_is_silent(house, decided):
    decided(WITHDRAWAL, MISSED, house.ben, house.cleo, house.olive)
    assert set(silent(house)) == {"Fay"}
    assert days_ago(silent(house)["Fay"]) == 365
    assert not silent(house, ACCESS)


def test_nobody_is_silent_where_fewer_than_ten_were_decided(house, decided):
    decided(WITHDRAWAL, MISSED - 1, house.ben)
    assert not silent(house)


@pytest.mark.parametrize("state", [State.EXPIRED, State.CANCELLED, State.STALE])
def test_what_nobody_decided_asked_nobody(house, decided, state):
    decided(WITHDRAWAL, MISSED, state=state)
    decided(WITHDRAWAL, MISSED, house.ben, state=state)
    assert not silent(house)


def test_what_ran_at_once_asked_nobody(house, decided):
    decided(WITHDRAWAL, MISSED, approvals_required=0)
    assert not silent(house)


def test_one_decision_among_the_last_ten_is_enough(house, decided):
    decided(WITHDRAWAL, MISSED - 1, house.ben, before=40 * DAY)
    decided(WITHDRAWAL, 1, house.fay, house.cleo, house.olive, before=42 * DAY)
    assert not silent(house)


def test_so_is_one_of_the_last_thirty_days(house, decided):
    decided(WITHDRAWAL, 20, house.ben)
    decided(WITHDRAWAL, 1, house.fay, before=29 * DAY)
    decided(WITHDRAWAL, 1, house.cleo, before=31 * DAY)
    assert set(silent(house)) == {"Cleo", "Olive"}
    assert days_ago(silent(house)["Cleo"]) == 31


def test_a_no_is_a_decision(house, decided):
    decided(WITHDRAWAL, MISSED, house.ben, house.cleo, house.olive)
    decided(WITHDRAWAL, 1, house.fay, state=State.REJECTED, approved=False)
    assert not silent(house)


def test_what_somebody_could_not_decide_does_not_count_against_them(house, decided):
    """What they asked themselves, what is about them, and what came before they did."""
    others = (house.ben, house.cleo, house.fay)
    decided(WITHDRAWAL, MISSED, *others, asker=house.olive)
    decided(WITHDRAWAL, MISSED, *others, subject_member=house.olive, before=31 * DAY, state=State.FAILED)
    assert not silent(house)
    decided(WITHDRAWAL, MISSED, *others, before=60 * DAY)
    assert set(silent(house)) == {"Olive"}


def test_custodians_are_not_silent_about_what_their_key_asked(house, decided):
    key = house.bot(made_by="fay")
    decided(
        WITHDRAWAL, MISSED, house.ben, house.cleo, house.olive, member=None, service_user=key.service_user, api_key=key
    )
    assert not silent(house)


def test_who_may_approve_for_another_account_is_not_silent(house, decided):
    cold = Account.objects.create(organization=house.organization, name="Cold", created_at=timezone.now())
    house.member("gus", Right.APPROVE, workflows=(WITHDRAWAL,), account=cold)
    Member.objects.filter(pk=house.gus.pk).update(joined_at=timezone.now() - 300 * DAY)
    decided(WITHDRAWAL, MISSED, house.ben, house.cleo, house.olive, house.fay, account=house.account)
    assert not silent(house)
    decided(WITHDRAWAL, MISSED, house.ben, house.cleo, house.olive, house.fay, account=cold)
    assert set(silent(house)) == {"Gus"}


def test_who_came_lately_is_not_silent(house, decided):
    decided(WITHDRAWAL, 20, house.ben, house.cleo, house.olive, house.fay)
    house.member("gus", Right.APPROVE)
    Member.objects.filter(pk=house.gus.pk).update(joined_at=timezone.now() - 29 * DAY)
    assert not silent(house)
    Member.objects.filter(pk=house.gus.pk).update(joined_at=timezone.now() - 31 * DAY)
    assert set(silent(house)) == {"Gus"}


def test_who_was_given_the_right_lately_is_not_silent(house, decided):
    """What was changed about them may have been their rights: it counts from then on."""
    decided(WITHDRAWAL, MISSED, house.ben, house.cleo, house.olive)
    decided(ACCESS, 1, house.ben, subject_member=house.fay, before=5 * DAY)
    assert not silent(house)


def test_who_cannot_approve_any_more_is_not_shown(house, decided):
    decided(WITHDRAWAL, MISSED, house.ben, house.cleo, house.olive)
    house.fay.grants.all().delete()
    assert not silent(house)


def test_in_a_busy_house_a_month_is_looked_back_at_all_the_same(house, decided):
    """More requests in these days than are looked back at."""
    decided(WITHDRAWAL, LOOK_BACK, house.ben, house.olive)
    decided(WITHDRAWAL, 1, house.cleo, before=20 * DAY)
    assert set(silent(house)) == {"Fay"}
    assert days_ago(silent(house)["Fay"]) == 30


def test_a_neighbours_requests_are_none_of_ours(house, next_door, decided):
    decided(WITHDRAWAL, MISSED, next_door.eve, asker=next_door.member("zoe", Right.INITIATE))
    assert not silent(house)


def test_it_takes_as_many_statements_for_two_hundred_members(house, decided):
    def statements():
        facts = gather(house.organization)
        with CaptureQueriesContext(connection) as made:
            silent_approvers(house.organization, facts)
        return len(made)

    for workflow in Workflow:
        decided(workflow, LOOK_BACK, house.ben)
    assert statements() == 3
    for turn in range(200):
        house.member(f"more{turn}", Right.APPROVE, user=make_user(f"more{turn}"))
    Member.objects.update(joined_at=timezone.now() - 365 * DAY)
    assert statements() == 3
    assert len(silent(house)) == 203


@pytest.mark.postgresql
def test_silence_is_found_along_an_index(house, many_decided):
    analyze("policies_changerequest", "policies_decision", "accounts_member")
    facts = gather(house.organization)
    found = readings(lambda: silent_approvers(house.organization, facts))
    assert not [reading.sql for reading in found if "policies_changerequest" in reading.whole]
    # Of each of the two workflows what is looked back at, and a look for what was changed about whom.
    assert sum(reading.rows["policies_changerequest"] for reading in found) <= 5 * LOOK_BACK
