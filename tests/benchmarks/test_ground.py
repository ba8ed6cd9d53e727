"""What is measured on is made by the portal's own functions, and is as large as it says."""

import pytest
from django.db import connection

from accounts.models import Account, ApiKey, ServiceUser
from benchmarks.ground import crowd, world
from benchmarks.load.signing import signed
from portal.venues.paper.ledger.models import Balance
from tests.benchmarks.conftest import asked_of_portal

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]


@pytest.fixture
def ground(in_this_transaction, settings, monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("it is made on PostgreSQL alone")
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    monkeypatch.setattr(world, "MANY", 2)
    monkeypatch.setattr(world, "FEW", 1)
    return world.build(2, 1)


def test_every_bot_of_the_ground_can_call(ground):
    assert len({bot.organization_id for bot in ground.together}) == 1
    assert len({bot.organization_id for bot in ground.apart}) == 2
    for bot in ground.bots:
        for key in bot.keys:
            answer = asked_of_portal(signed(key, "Balance")())
            assert answer["error"] == []
            assert len(answer["result"]) == 6


def test_a_crowd_has_as_many_keys_as_it_says_with_a_balance_for_each_asset(ground):
    around = ground.crowded
    bots = ServiceUser.objects.filter(organization=around.organization_id)
    before = bots.count()
    crowd.gather(around, 60)
    assert bots.count() == before + 30
    keys = ApiKey.objects.filter(service_user__in=bots.filter(name__startswith="c"))
    assert keys.count() == 60
    accounts = Account.objects.filter(organization=around.organization_id, name__startswith=crowd.NAME)
    assert accounts.count() == 3
    assert Balance.objects.filter(account__in=accounts).count() == 18
    # Nobody else has any of it.
    assert asked_of_portal(signed(around.key, "Balance")())["error"] == []
