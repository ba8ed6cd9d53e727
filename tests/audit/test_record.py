"""The one writer of the history."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine
from django.db import connection, transaction

from accounts.models import Account
from portal.audit.chain import verify
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent, Chain
from portal.audit.record import encoded, lock_history, plain, record
from portal.core import actors, call_origin

HOSTILE = 'a\nb\r\x1b[31m\u202e\u2028<script>"'


def test_an_event_says_who_did_what_when_from_where_and_how_it_ended(organization):
    """AU-1: UTC time, actor, organization, kind, subject, source, session or key, request id, outcome."""
    at = datetime(2026, 11, 22, 9, 14, 5, 123456, tzinfo=UTC)
    main = Account.objects.create(organization=organization, name="Main", created_at=at)
    somebody = actors.Outsider(actors.MEMBER, "Ana Ruiz", organization.pk, pk=7)
    with (
        time_machine.travel(at, tick=False),
        call_origin.origin(source="203.0.113.7", via="session 0a1b", request_id="r" * 32),
        transaction.atomic(),
    ):
        record(
            EventKind.WITHDRAWAL_HELD,
            actor=somebody,
            subject=main,
            account_id=main.pk,
            outcome="failed",
            n=Decimal("1.50"),
        )
    event = AuditEvent.objects.get()
    assert event.at == at
    assert (event.actor_kind, event.actor_id, event.actor_label) == ("member", 7, "Ana Ruiz")
    assert (event.organization, event.kind, event.workflow) == (organization, "withdrawal.held", "initiate_withdrawal")
    assert (event.subject_kind, event.subject_id, event.subject_label) == ("account", main.pk, "Main")
    assert (event.source, event.via, event.request_id) == ("203.0.113.7", "session 0a1b", "r" * 32)
    assert (event.outcome, event.account, event.data) == ("failed", main, {"n": "1.50"})


def test_an_event_lives_and_dies_with_its_change(organization, remember):
    """DESIGN §9, AU-1: roll back the change: no event."""
    remember()
    with transaction.atomic():
        record(EventKind.POLICY_REMOVED, actor=actors.operator(organization.pk))
        transaction.set_rollback(True)
    assert [event.kind for event in AuditEvent.objects.all()] == ["policy.configured"]
    assert verify(organization.pk) is None


@pytest.mark.django_db(transaction=True)
def test_nothing_is_recorded_outside_of_a_transaction():
    with pytest.raises(transaction.TransactionManagementError):
        record(EventKind.POLICY_REMOVED, actor=actors.operator())
    with pytest.raises(transaction.TransactionManagementError):
        lock_history(None)


def test_each_organization_has_its_chain_and_the_installation_another(organization, remember):
    with transaction.atomic():
        record(EventKind.SIGN_IN_FAILED, actor=actors.stranger("x@demo.test"), outcome="refused")
    remember(2)
    assert dict(Chain.objects.values_list("name", "length")) == {
        "installation": 1,
        f"organization-{organization.pk}": 2,
    }


def test_text_from_outside_can_forge_no_line_and_no_markup(organization, remember):
    r"""AU-6: `\n`, ESC, `<script>`."""
    with transaction.atomic():
        record(EventKind.POLICY_REMOVED, actor=actors.Outsider("stranger", HOSTILE, organization.pk), note=[HOSTILE])
    event = AuditEvent.objects.get()
    safe = r'a\u000ab\u000d\u001b[31m\u202e\u2028<script>"'
    assert event.actor_label == safe
    assert event.data == {"note": [safe]}
    assert encoded("Zürich 💶") == "Zürich 💶"


def test_what_has_no_exact_form_is_refused():
    for value in (1.5, b"bytes", object(), {"deep": [1.5]}):
        with pytest.raises(TypeError):
            plain(value)


def test_a_long_label_is_cut_to_what_its_column_holds(organization):
    with transaction.atomic():
        record(EventKind.POLICY_REMOVED, actor=actors.Outsider("stranger", "x" * 900 + "\n", organization.pk))
    assert len(AuditEvent.objects.get().actor_label) == 200
    assert verify(organization.pk) is None


def test_recording_takes_three_queries(organization, remember, django_assert_num_queries):
    remember()
    with transaction.atomic(), django_assert_num_queries(3):
        record(EventKind.POLICY_REMOVED, actor=actors.operator(organization.pk))


@pytest.mark.parametrize(
    ("kind", "workflow"),
    [
        (EventKind.SIGN_IN_SUCCEEDED, "manage_access"),
        (EventKind.KEY_REVEALED, "manage_access"),
        (EventKind.POLICY_REMOVED, "manage_policies"),
        (EventKind.ADDRESS_ADDED, "manage_addresses"),
        (EventKind.WITHDRAWAL_SENT, "initiate_withdrawal"),
    ],
)
def test_a_kind_knows_whose_view_opens_it(kind, workflow):
    """AU-7: sign-in and security events by View on Manage Access."""
    assert kind.workflow == workflow


@pytest.mark.postgresql
def test_the_lock_of_a_history_lets_references_to_it_through(organization, remember):
    """A foreign key check takes FOR KEY SHARE, which must not wait for the writer."""
    with transaction.atomic(), connection.execute_wrapper(seen := Statements()):
        lock_history(organization.pk)
    assert any("FOR NO KEY UPDATE" in statement for statement in seen.all)


class Statements:
    def __init__(self):
        self.all = []

    def __call__(self, execute, sql, params, many, context):
        self.all.append(sql)
        return execute(sql, params, many, context)
