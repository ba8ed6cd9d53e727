"""How much of a long history its page reads: the days that were asked for, and not all that came after them."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from policies.workflows import Workflow
from portal.audit.models import AuditEvent, Chain
from portal.dashboard.history.export import export
from portal.dashboard.history.filters import Narrowing
from tests.database.plans import analyze, most_read, readings

DAYS, A_DAY = 100, 150
# Places in the chain that nothing else comes to.
BEYOND = 1_000_000
EVENTS = "audit_auditevent"


@pytest.fixture
def long_history(world, time_machine):
    """A hundred events a day since the Organization began; one in fifty is Ana's."""
    chain = Chain.objects.get(organization=world.organization)
    began = timezone.now()
    people = [world.members[name] for name in ("ana", *["ben"] * 49)]
    AuditEvent.objects.bulk_create(
        AuditEvent(
            chain=chain,
            sequence=BEYOND + turn,
            organization=world.organization,
            at=began + timedelta(days=turn / A_DAY),
            kind="sign_in.succeeded",
            workflow=Workflow.MANAGE_ACCESS,
            actor_kind="member",
            actor_id=people[turn % 50].pk,
            actor_label=people[turn % 50].label,
            subject_kind="member",
            subject_id=people[turn % 50].pk,
            outcome="success",
        )
        for turn in range(DAYS * A_DAY)
    )
    analyze(EVENTS)
    time_machine.move_to(began + timedelta(days=DAYS))
    return world


@pytest.mark.postgresql
def test_a_day_long_ago_is_found_without_a_walk_through_what_came_after(client, sign_in, long_history):
    """In the list and in what is taken away of it, whatever else it is narrowed to."""
    audit, ana = (long_history.members[name] for name in ("audit", "ana"))
    sign_in(client, audit)

    def day(ago):
        return (timezone.localdate() - timedelta(days=ago)).isoformat()

    two = {"first": day(51), "last": day(50)}
    long_ago = {"first": day(80), "last": day(80)}
    for query in (
        two,
        {"first": day(95), "last": day(94)},
        {"last": day(90)},
        {**long_ago, "workflow": "manage_access"},
        {**long_ago, "topic": "Signing in"},
        {"first": day(80), "last": day(75), "actor": f"member-{ana.pk}"},
    ):
        found = readings(partial(client.get, "/history/", query))
        rows, sql = most_read(found, EVENTS)
        assert A_DAY // 10 <= rows <= 10 * A_DAY, (query, rows, sql)
        assert not [reading for reading in found if EVENTS in reading.whole]
    rows, sql = most_read(readings(lambda: export(audit, Narrowing.read(two, list(Workflow)))), EVENTS)
    assert 2 * A_DAY <= rows <= 10 * A_DAY, (rows, sql)


def test_a_day_has_all_of_its_events_though_a_clock_went_wrong(world, client, sign_in, time_machine):
    """One process an hour ahead of another: its events lie between the others by number, and on their day by time."""
    chain = Chain.objects.get(organization=world.organization)
    noon = timezone.now().replace(hour=12, minute=0) + timedelta(days=40)
    hours = {"early": -11, "ahead": 11.5, "late": 11, "behind": -11.5, "next": 13}
    for place, (label, hour) in enumerate(hours.items()):
        AuditEvent.objects.create(
            chain=chain,
            sequence=BEYOND + place,
            organization=world.organization,
            at=noon + timedelta(hours=hour),
            kind="sign_in.failed",
            workflow=Workflow.MANAGE_ACCESS,
            actor_kind="stranger",
            actor_label=f"who was {label}",
            outcome="refused",
        )
    time_machine.move_to(noon + timedelta(days=5))
    sign_in(client, world.members["audit"])
    on = noon.date().isoformat()
    text = client.get("/history/", {"first": on, "last": on}).content.decode()
    assert [label for label in hours if f"who was {label}" in text] == ["early", "ahead", "late", "behind"]
