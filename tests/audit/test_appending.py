"""What is recorded together is written at the end, and is the same history as one event after the other."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import Organization
from portal.audit.chain import verify
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent, Chain
from portal.audit.record import appending, lock_history, record
from portal.core import actors


def note(organization, **data):
    return record(EventKind.POLICY_CONFIGURED, actor=actors.operator(organization.pk), **data)


def test_events_recorded_together_follow_each_other_and_what_was_there(organization, remember):
    remember(2)
    with transaction.atomic():
        with appending(organization.pk):
            first, second = note(organization, n=1), note(organization, n=2)
        third = note(organization, n=3)
    assert [event.sequence for event in (first, second, third)] == [3, 4, 5]
    assert [event.data for event in AuditEvent.objects.order_by("sequence")[2:]] == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert (second.previous, third.previous) == (first.hash, second.hash)
    assert verify(organization.pk) is None


def test_the_first_events_of_an_organization_can_be_recorded_together(organization):
    with transaction.atomic(), appending(organization.pk):
        note(organization)
        note(organization)
    assert Chain.objects.get(organization=organization).length == 2
    assert verify(organization.pk) is None


def test_however_many_events_take_three_statements(organization, remember, django_assert_num_queries):
    remember()
    with transaction.atomic(), django_assert_num_queries(3), appending(organization.pk):
        for number in range(5):
            note(organization, n=number)


def test_nothing_recorded_writes_nothing(organization, remember, django_assert_num_queries):
    remember()
    with transaction.atomic(), django_assert_num_queries(1), appending(organization.pk):
        pass
    assert verify(organization.pk) is None


def test_what_was_recorded_before_an_exception_is_forgotten_and_the_place_is_free(organization, remember):
    def fail():
        note(organization)
        raise ZeroDivisionError

    remember()
    with pytest.raises(ZeroDivisionError), transaction.atomic(), appending(organization.pk):
        fail()
    remember()
    assert AuditEvent.objects.count() == 2
    assert verify(organization.pk) is None


def test_another_history_is_written_at_once(organization, remember):
    remember()
    other = Organization.objects.create(name="Next Door", created_at=timezone.now())
    with transaction.atomic(), appending(organization.pk):
        note(other)
        note(organization)
        assert AuditEvent.objects.filter(organization=other).exists()
    assert verify(organization.pk) is None
    assert verify(other.pk) is None


def test_whoever_appends_does_not_append_within_that(organization):
    with transaction.atomic(), appending(organization.pk):
        with pytest.raises(RuntimeError), appending(organization.pk):
            pass
        note(organization)
    assert AuditEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_nothing_is_appended_outside_of_a_transaction(organization):
    with pytest.raises(transaction.TransactionManagementError), appending(organization.pk):
        pass


@pytest.mark.parametrize("by", [1, 2, 7])
def test_a_chain_does_not_grow_beyond_what_is_there(organization, remember, by):
    """AU-4: sequence without gaps: a chain that says more than there is shows nothing when the tail is taken."""
    remember()
    with pytest.raises(DatabaseError, match="only grows"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE audit_chain SET length = length + %s WHERE organization_id = %s", [by, organization.pk])


def test_the_lock_of_the_history_is_had_before_it_has_a_row(organization):
    with transaction.atomic():
        lock_history(organization.pk)
        assert Chain.objects.get(organization=organization).length == 0
