"""Who waits for whom: those who only ask for money for nobody of each other, everybody else alone."""

from functools import partial
from threading import Event, Thread

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Organization
from portal.audit.kinds import EventKind
from portal.audit.locks import ask_beside_others, history_alone
from portal.audit.record import appending, lock_history, record
from portal.core import actors
from portal.core.database import locks

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 0.5


@pytest.fixture
def organization(transactional_db):
    return Organization.objects.create(name="Ledger Ltd", created_at=timezone.now())


@pytest.fixture
def elsewhere():
    """Runs something on a connection of its own, and says whether it came through while the test holds its locks."""
    running: list[Thread] = []

    def comes_through(act) -> bool:
        done = Event()

        def run():
            try:
                with transaction.atomic():
                    act()
                done.set()
            finally:
                connection.close()

        thread = Thread(target=run)
        thread.start()
        running.append(thread)
        return done.wait(PATIENCE_SECONDS)

    yield comes_through
    for thread in running:
        thread.join(10)
        assert not thread.is_alive()


def beside(organization, asker):
    with ask_beside_others(organization.pk, asker):
        pass


def noted(organization):
    record(EventKind.POLICY_REMOVED, actor=actors.operator(organization.pk))


@pytest.mark.postgresql
def test_two_who_ask_do_not_wait_for_each_other(organization, elsewhere):
    with transaction.atomic(), ask_beside_others(organization.pk, "key 1"):
        assert elsewhere(partial(beside, organization, "key 2"))


@pytest.mark.postgresql
def test_one_asks_one_thing_at_a_time(organization, elsewhere):
    with transaction.atomic(), ask_beside_others(organization.pk, "key 1"):
        assert not elsewhere(partial(beside, organization, "key 1"))


@pytest.mark.postgresql
@pytest.mark.parametrize("act", [lambda one: lock_history(one.pk), noted])
def test_whoever_changes_or_records_anything_waits_for_those_who_ask(organization, elsewhere, act):
    with transaction.atomic(), ask_beside_others(organization.pk, "key 1"):
        assert not elsewhere(partial(act, organization))


@pytest.mark.postgresql
@pytest.mark.parametrize("act", [lambda one: lock_history(one.pk), noted])
def test_who_asks_waits_for_whoever_changes_or_records_anything(organization, elsewhere, act):
    with transaction.atomic():
        act(organization)
        assert not elsewhere(partial(beside, organization, "key 1"))


@pytest.mark.postgresql
def test_the_locks_outlast_the_block_until_the_transaction_ends(organization, elsewhere):
    with transaction.atomic():
        beside(organization, "key 1")
        assert not elsewhere(partial(beside, organization, "key 1"))
        assert not elsewhere(lambda: lock_history(organization.pk))


@pytest.mark.postgresql
def test_who_asks_keeps_nobody_from_the_history_until_the_end(organization, elsewhere):
    """The row of the chain is taken for the append alone."""
    noted_before = partial(history_alone, organization.pk)
    with transaction.atomic():
        beside(organization, "key 1")
        assert elsewhere(noted_before)
        with appending(organization.pk):
            assert not elsewhere(noted_before)


@pytest.mark.postgresql
def test_a_savepoint_that_is_given_up_gives_the_locks_back(organization, elsewhere):
    """So that what cannot be asked beside others begins anew, alone, and waits for nobody who waits for it."""
    with transaction.atomic():
        with pytest.raises(ZeroDivisionError), transaction.atomic(), ask_beside_others(organization.pk, "key 1"):
            raise ZeroDivisionError
        assert elsewhere(lambda: lock_history(organization.pk))


@pytest.mark.postgresql
def test_another_organization_waits_for_nobody(organization, elsewhere):
    other = Organization.objects.create(name="Next Door", created_at=timezone.now())
    with transaction.atomic():
        lock_history(organization.pk)
        assert elsewhere(lambda: lock_history(other.pk))
        assert elsewhere(partial(beside, other, "key 1"))


@pytest.mark.parametrize("act", [lambda one: lock_history(one.pk), noted, lambda one: beside(one, "key 2")])
def test_who_asks_beside_others_cannot_want_more(organization, act):
    """Two who shared the authority and both wanted it alone would wait for each other for ever."""
    with transaction.atomic(), ask_beside_others(organization.pk, "key 1"), pytest.raises(RuntimeError):
        act(organization)
    with transaction.atomic():
        act(organization)


def test_who_holds_the_history_can_ask_as_well(organization):
    with transaction.atomic():
        lock_history(organization.pk)
        with ask_beside_others(organization.pk, "key 1"), appending(organization.pk):
            noted(organization)


def test_nothing_is_locked_outside_of_a_transaction(organization):
    with pytest.raises(transaction.TransactionManagementError), ask_beside_others(organization.pk, "key 1"):
        pass
    with pytest.raises(transaction.TransactionManagementError):
        lock_history(organization.pk)


def test_the_numbers_of_locks_are_those_that_postgresql_takes_and_stay_the_same():
    names = [f"authority of organization-{number}" for number in range(2000)]
    numbers = {locks.number_of(name) for name in names}
    assert len(numbers) == len(names)
    assert all(-(2**63) <= number < 2**63 for number in numbers)
    # Nodes of two versions that serve at once have to mean the same lock.
    assert locks.number_of("authority of organization-1") == 9064795695023139419
