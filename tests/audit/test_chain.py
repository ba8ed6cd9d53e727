"""The chain shows every tampering."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Organization
from portal.audit import chain as chains
from portal.audit.chain import Head, seal, verify, verify_chain
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent, Chain
from portal.audit.record import record
from portal.core import actors

WRITERS = 20


def first_bad(broken):
    assert broken is not None
    return broken.sequence


def test_a_whole_chain_passes_and_so_does_an_empty_one(organization, remember):
    assert verify(organization.pk) is None
    remember(5, text="x", numbers=[1, 2**53], nothing=None, yes=True)
    assert verify(organization.pk) is None
    assert [event.sequence for event in AuditEvent.objects.all()] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "change",
    [
        "kind = 'policy.removed'",
        "workflow = 'manage_access'",
        "actor_label = 'somebody else'",
        "actor_id = 9",
        "outcome = 'refused'",
        "source = '192.0.2.1'",
        "via = 'session 0'",
        "request_id = 'x'",
        "at = '2020-01-01 00:00:00+00:00'",
        "subject_id = 9",
        """data = '{"n": 2}'""",
        "organization_id = NULL",
    ],
)
def test_a_changed_field_is_found(organization, remember, tamper, change):
    """AU-5: a changed field."""
    remember(3, n=1)
    tamper(f"UPDATE audit_auditevent SET {change} WHERE sequence = 2")
    broken = verify(organization.pk)
    assert broken is not None
    assert (broken.chain, broken.sequence) == (f"organization-{organization.pk}", 2)


def test_a_removed_row_is_found(organization, remember, tamper):
    """AU-5: a removed middle row."""
    remember(4)
    tamper("DELETE FROM audit_auditevent WHERE sequence = 2")
    assert first_bad(verify(organization.pk)) == 2


def test_a_removed_row_is_found_though_the_rest_was_moved_up(organization, remember, tamper):
    remember(4)
    tamper(
        "DELETE FROM audit_auditevent WHERE sequence = 2",
        "UPDATE audit_auditevent SET sequence = 2 WHERE sequence = 3",
        "UPDATE audit_auditevent SET sequence = 3 WHERE sequence = 4",
    )
    assert first_bad(verify(organization.pk)) == 2


def test_swapped_rows_are_found(organization, remember, tamper):
    """AU-5: swapped rows."""
    remember(4)
    tamper(
        "UPDATE audit_auditevent SET sequence = 99 WHERE sequence = 2",
        "UPDATE audit_auditevent SET sequence = 2 WHERE sequence = 3",
        "UPDATE audit_auditevent SET sequence = 3 WHERE sequence = 99",
    )
    assert first_bad(verify(organization.pk)) == 2


def test_a_removed_tail_is_found_by_the_count_beside_it(organization, remember, tamper):
    """AU-5: a removed tail."""
    remember(4)
    tamper("DELETE FROM audit_auditevent WHERE sequence > 2")
    assert first_bad(verify(organization.pk)) == 3


def test_a_removed_tail_is_found_by_what_was_kept_elsewhere(organization, remember, tamper):
    """AU-5: a removed tail; head hash and count kept elsewhere."""
    remember(4)
    chain = Chain.objects.get()
    kept = [Head(chain.name, chain.length, chain.head)]
    second = AuditEvent.objects.get(sequence=2).hash
    tamper("DELETE FROM audit_auditevent WHERE sequence > 2", f"UPDATE audit_chain SET length = 2, head = '{second}'")
    chain.refresh_from_db()
    assert verify(organization.pk) is None
    assert first_bad(verify_chain(chain, kept)) == 4
    remember(4)
    assert first_bad(verify_chain(chain, kept)) == 4


def test_a_rehash_without_the_key_is_found(organization, remember, tamper, monkeypatch):
    """AU-5: a forged rehash without the key."""
    remember(3)
    with monkeypatch.context() as stolen:
        stolen.setattr(chains, "derived_key", lambda purpose: b"a guess")
        statements, before = [], ""
        for event in AuditEvent.objects.all():
            event.kind, event.previous = "policy.removed", before
            before = seal(event, event.chain.name)
            statements.append(
                f"UPDATE audit_auditevent SET kind = '{event.kind}', previous = '{event.previous}', hash = '{before}'"
                f" WHERE id = {event.pk}"
            )
    tamper(*statements, f"UPDATE audit_chain SET head = '{before}'")
    assert first_bad(verify(organization.pk)) == 1


def test_an_event_of_another_chain_does_not_fit_in(organization, remember, tamper):
    remember(1)
    with transaction.atomic():
        record(EventKind.POLICY_CONFIGURED, actor=actors.operator())
    first, second = Chain.objects.order_by("pk")
    tamper(
        f"DELETE FROM audit_auditevent WHERE chain_id = {first.pk}",
        f"UPDATE audit_auditevent SET chain_id = {first.pk} WHERE chain_id = {second.pk}",
    )
    assert first_bad(verify(organization.pk)) == 1


def test_the_walk_takes_the_same_queries_for_one_event_and_for_twenty(
    organization, remember, django_assert_max_num_queries
):
    remember(20)
    with django_assert_max_num_queries(6):
        verify(organization.pk)


@pytest.mark.django_db(transaction=True)
def test_twenty_writers_at_once_leave_one_chain():
    """AU-4: 20 parallel writers, verify passes."""
    organization = Organization.objects.create(name="Ledger Ltd", created_at=timezone.now())
    barrier = Barrier(WRITERS)

    def write(number):
        try:
            barrier.wait()
            with transaction.atomic():
                record(EventKind.POLICY_CONFIGURED, actor=actors.operator(organization.pk), number=number)
        finally:
            connection.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    assert list(AuditEvent.objects.values_list("sequence", flat=True)) == list(range(1, WRITERS + 1))
    assert {event.data["number"] for event in AuditEvent.objects.all()} == set(range(WRITERS))
    assert verify(organization.pk) is None
