"""What was asked before, as rules saw it then, and what lists of a rule can name."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from policies.measures import Named, measures
from policies.models import State
from policies.rules.language import INFINITE
from portal.treasury.destinations.identity import identity
from portal.treasury.measures import past as reading
from portal.treasury.models import Address
from tests.factories.world import BTC_COLD
from tests.treasury.measures.conftest import COLD

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _still(settings):
    settings.PAPER_PRICES = "still"


def past(world, hours=24 * 90):
    return list(measures().past(world.organization, timezone.now() - timedelta(hours=hours)))


def test_the_past_is_told_oldest_first_whatever_became_of_it(left, world):
    rows = [left("30.00", hours=3), left("10.00", hours=9, state=State.REJECTED), left("20.00", state=State.PENDING)]
    told = past(world)
    assert [each.change_id for each in told] == [row.change_id for row in (rows[1], rows[0], rows[2])]
    assert [each.situation.value for each in told] == [10, 30, 20]
    assert [(each.sent_at is None, each.released_at is None) for each in told] == [
        (True, False), (False, True), (True, True),
    ]  # fmt: skip


def test_what_was_asked_earlier_is_left_out(left, world):
    left(hours=30)
    assert past(world, hours=29) == []


def test_it_is_read_some_at_a_time_and_none_is_lost_or_told_twice(left, world, monkeypatch):
    monkeypatch.setattr(reading, "AT_A_TIME", 2)
    rows = [left(hours=5) for _ in range(5)]
    # Asked in the same moment: their numbers tell them apart.
    type(rows[0]).objects.update(created_at=rows[0].created_at)
    with CaptureQueriesContext(connection) as queries:
        told = past(world)
    assert [each.change_id for each in told] == [row.change_id for row in rows]
    assert sum("treasury_withdrawal" in query["sql"] for query in queries) == 4


def test_one_that_was_never_valued_counts_at_the_price_of_now(left, world):
    left(None)
    left(None, asset="NIX")
    assert [each.situation.value for each in past(world)] == [Decimal(64), INFINITE]


def test_the_age_is_that_of_then(left, world):
    row = left(hours=10)
    address = Address.objects.get(account=world.account, key="btc-cold")
    Address.objects.filter(pk=address.pk).update(
        added_at=row.created_at - timedelta(hours=7), removed_at=row.created_at + timedelta(hours=1)
    )
    [told] = past(world)
    assert told.situation.age_hours == 7
    assert told.situation.destination == COLD


def test_nothing_of_another_organization_is_told(left, world):
    left(bot=next(bot for bot in world.bots.values() if bot.service_user.organization_id == world.elsewhere.pk))
    assert past(world) == []


def test_what_can_be_withdrawn_is_named_once(world):
    names = measures().assets(world.organization)
    assert Named("XXBT", "BTC") in names
    assert [each.label for each in names] == sorted({each.label for each in names})


def test_the_books_are_named_as_they_are_now(world):
    Address.objects.filter(organization=world.organization, key="eth-cold").update(removed_at=timezone.now())
    names = measures().destinations(world.organization)
    assert [each.label for each in names] == ["btc-cold", "usd-bank"]
    assert names[0] == Named(COLD, "btc-cold", world.account.pk)


def test_a_destination_of_several_assets_is_named_once(world):
    Address.objects.create(
        organization=world.organization, account=world.account, key="another", asset="XETH", method="-",
        network="Bitcoin", address=BTC_COLD.upper(), added_by="-", added_at=timezone.now(),
    )  # fmt: skip
    named = [each for each in measures().destinations(world.organization) if each.value == COLD]
    assert named == [Named(COLD, "another", world.account.pk)]
    assert identity("Bitcoin", BTC_COLD, "") == COLD


def test_a_book_of_thousands_is_named_up_to_a_thousand(world):
    Address.objects.bulk_create(
        Address(
            organization=world.organization, account=world.account, key=f"a{number:05}", asset="XXRP", method="-",
            network="Ripple", address=f"r{number:05}", added_by="-", added_at=timezone.now(),
        )
        for number in range(1200)
    )  # fmt: skip
    with CaptureQueriesContext(connection) as queries:
        names = measures().destinations(world.organization)
    assert len(names) == 1000
    assert len(queries) == 1
