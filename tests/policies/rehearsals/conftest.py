"""A long past: requests that waited and were decided, and by whom."""

from datetime import timedelta

import pytest
from django.utils import timezone

from policies.models import ChangeRequest, Decision, State
from policies.workflows import Workflow

MANY = 3_000


def _decision(change, member, *, approved):
    return Decision(
        change=change,
        member=member,
        person_id=member.user_id,
        approved=approved,
        digest="-",
        factor="totp",
        at=change.ended_at,
    )


@pytest.fixture
def decided(house):
    """Make requests in `workflow` that Ana asked for and `by` decided, one an hour until `before` ago."""

    def make(workflow, count, *by, before=timedelta(0), asker=None, state=State.EXECUTED, approved=True, **fields):
        asker, now = asker or house.ana, timezone.now()
        first = ChangeRequest.objects.count()
        rows = ChangeRequest.objects.bulk_create(
            ChangeRequest(
                organization=asker.organization,
                number=1_000_000 + first + turn,
                reference=f"d{first + turn}",
                workflow=workflow.value,
                operation="tests.tidy",
                title="Tidy",
                initiator_label="Ana",
                params={},
                digest="-",
                state=state,
                created_at=now - before - timedelta(hours=turn + 1),
                expires_at=now - before - timedelta(hours=turn) + timedelta(days=3),
                ended_at=now - before - timedelta(hours=turn),
                **{"member": asker, "approvals_required": 1, **fields},
            )
            for turn in range(count)
        )
        Decision.objects.bulk_create(
            [_decision(row, one, approved=approved) for row in rows for one in by], batch_size=250
        )
        return rows

    return make


@pytest.fixture
def many_decided(house, decided):
    """Three thousand requests of each of two workflows that Ben decided."""
    for workflow in (Workflow.INITIATE_WITHDRAWAL, Workflow.MANAGE_ACCESS):
        decided(workflow, MANY, house.ben)
