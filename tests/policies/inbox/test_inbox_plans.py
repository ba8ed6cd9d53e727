"""How much of a long past the inbox reads: what it shows and counts, and not all that was ever asked."""

from datetime import timedelta
from functools import partial
from itertools import cycle

import pytest
from django.urls import reverse
from django.utils import timezone

from policies.inbox import queues
from policies.models import ChangeRequest, State
from tests.database.plans import Reading, analyze, readings
from tests.factories.world import make_bot

CHANGES = "policies_changerequest"
PAST, WAITING, BOTS = 12_000, 400, 24
# A page of fifty, a count of a hundred, a look for each who may have asked.
FEW = 1500


@pytest.fixture
def long_past(world, asked, ana):
    """Twelve thousand requests that have ended and some hundreds that wait; most bots asked, some never did."""
    owner = world.members["owner"]
    bots = [make_bot(owner, world.account, f"bot-{number:02}", ("query-funds",)) for number in range(BOTS)]
    busy = cycle([*bots[: BOTS // 2], *[None] * (BOTS // 2)])
    kept = {field.attname: getattr(asked, field.attname) for field in ChangeRequest._meta.concrete_fields}
    now = timezone.now()
    ChangeRequest.objects.bulk_create(
        ChangeRequest(
            **{
                **kept,
                "id": None,
                "number": 1000 + turn,
                "reference": f"past{turn}",
                "member_id": None if bot else ana.pk,
                "service_user_id": bot.service_user.pk if bot else None,
                "api_key_id": bot.key.pk if bot else None,
                "state": State.EXECUTED if turn < PAST else State.PENDING,
                "ended_at": now if turn < PAST else None,
                "expires_at": now + timedelta(hours=1, seconds=turn),
            }
        )
        for turn, bot in zip(range(PAST + WAITING), busy, strict=False)
    )
    analyze(CHANGES, "accounts_serviceuser", "accounts_member", "policies_decision")
    return world


def greediest(found: list[Reading]) -> tuple[int, str]:
    assert not [reading.sql for reading in found if CHANGES in reading.whole]
    return max((reading.rows[CHANGES], reading.sql) for reading in found)


@pytest.mark.postgresql
def test_the_inbox_reads_what_it_shows_and_not_the_past(long_past, browser):
    """Each tab, its counts and its filter of who asked; for who decides, who asked it all, and who views all."""
    members = long_past.members
    readers = {name: browser(members[name]) for name in ("ben", "ana", "audit")}
    for name, client in readers.items():
        for query in ({}, {"tab": "asked"}, {"tab": "viewable"}, {"tab": "done"}):
            found = readings(partial(client.get, reverse("policies:inbox"), query))
            rows, sql = greediest(found)
            assert rows <= FEW, (name, query, rows, sql)


@pytest.mark.postgresql
def test_the_badge_reads_a_hundred_of_them(long_past, ben, browser):
    client = browser(ben)
    assert queues.waiting_count(ben) == 100
    rows, sql = greediest(readings(lambda: client.get(reverse("policies:inbox_count"), headers={"HX-Request": "true"})))
    assert rows <= 200, (rows, sql)
