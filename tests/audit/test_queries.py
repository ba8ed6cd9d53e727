"""Who may read what."""

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Account, Organization
from portal.audit.kinds import EventKind
from portal.audit.queries import readable
from portal.audit.record import record
from portal.core import actors


@pytest.fixture
def accounts(organization):
    now = timezone.now()
    return [
        Account.objects.create(organization=organization, name=name, created_at=now) for name in ("Main", "Reserve")
    ]


@pytest.fixture
def events(organization, accounts):
    """One event of each workflow, and for withdrawals one of each Account and one of none."""
    other = Organization.objects.create(name="Elsewhere", created_at=timezone.now())
    main, reserve = accounts
    with transaction.atomic():
        for kind, account_id in (
            (EventKind.SIGN_IN_SUCCEEDED, None),
            (EventKind.POLICY_CONFIGURED, None),
            (EventKind.ADDRESS_ADDED, main.pk),
            (EventKind.WITHDRAWAL_HELD, main.pk),
            (EventKind.WITHDRAWAL_HELD, reserve.pk),
            (EventKind.WITHDRAWAL_HELD, None),
        ):
            record(kind, actor=actors.operator(organization.pk), account_id=account_id)
        record(EventKind.POLICY_CONFIGURED, actor=actors.operator(other.pk))
        record(EventKind.POLICY_CONFIGURED, actor=actors.operator())


def seen(organization, views):
    return sorted((event.kind, event.account_id) for event in readable(organization.pk, views))


def test_somebody_without_rights_reads_nothing(organization, events):
    """AU-7: events are readable by who may View their workflow."""
    assert seen(organization, set()) == []


def test_a_workflow_opens_its_own_events_and_no_others(organization, events):
    """AU-7: each."""
    assert seen(organization, {("manage_access", None)}) == [("sign_in.succeeded", None)]
    assert seen(organization, {("manage_policies", None)}) == [("policy.configured", None)]


def test_view_of_one_account_opens_the_events_of_that_account(organization, accounts, events):
    """AU-7: a right on one Account."""
    main, reserve = accounts
    assert seen(organization, {("initiate_withdrawal", reserve.pk)}) == [("withdrawal.held", reserve.pk)]
    assert len(seen(organization, {("manage_addresses", main.pk), ("initiate_withdrawal", main.pk)})) == 2
    assert readable(organization.pk, {("initiate_withdrawal", None), ("initiate_withdrawal", main.pk)}).count() == 3
