"""All requests of a list at once: each as it is told alone, by as many statements however many they are."""

from decimal import Decimal
from itertools import combinations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from policies.measures import measures
from policies.models import ChangeRequest, State
from policies.rules.language import Scope, SumOf, Window
from portal.treasury.models import Address
from portal.treasury.operations import Withdraw

pytestmark = pytest.mark.django_db
SCOPES = [tuple(sorted(scope)) for length in range(len(Scope) + 1) for scope in combinations(Scope, length)]
EVERY = [SumOf(scope, window) for scope in SCOPES for window in Window]


@pytest.fixture(autouse=True)
def _still(settings):
    settings.PAPER_PRICES = "still"


@pytest.fixture
def params(world):
    """0.001 BTC to btc-cold, as `left` notes it."""
    address = Address.objects.get(account=world.account, key="btc-cold")
    return Withdraw.to(address, amount=Decimal("0.001"), fee=Decimal("0.0001"))


def held(left, **given):
    return left(state=State.PENDING, amount_units=10_000_000, **given).change


def told(world, changes, params, sums=EVERY):
    fresh = list(ChangeRequest.objects.with_parties().filter(pk__in=[change.pk for change in changes]))
    return measures().situations(world.organization, [(change, params) for change in fresh], sums, with_ages=True)


def test_each_is_as_it_is_told_alone(world, left, params):
    left("10.00", hours=2)
    left("20.00", hours=30, asset="XETH")
    left(None, hours=100)
    left("5.00", hours=1, destination="", initiator="")
    changes = [held(left), held(left, value=None), held(left, value="1.00", destination="Bitcoin · elsewhere")]
    found = told(world, changes, params)
    for change in changes:
        alone = measures().situation(change, params, EVERY)
        assert found[change.pk].sums == alone.sums
        assert (found[change.pk].value, found[change.pk].age_hours > 0) == (alone.value, True)
    assert set(found) == {change.pk for change in changes}


def test_what_nobody_can_value_makes_only_the_sums_infinite_that_count_it(world, left, params):
    left(None, asset="NIX")
    change = held(left)
    assert told(world, [change], params)[change.pk].sums == measures().situation(change, params, EVERY).sums


def test_as_many_statements_for_one_and_for_twenty(world, left, params):
    first = held(left)
    with CaptureQueriesContext(
        connection,
    ) as one:
        told(world, [first], params)
    changes = [first, *(held(left, value=f"{place}.00") for place in range(1, 20))]
    with CaptureQueriesContext(connection) as twenty:
        assert len(told(world, changes, params)) == 20
    assert len(one) == len(twenty) <= 3
