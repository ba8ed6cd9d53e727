"""The sums that rules ask for: what counts, what does not, and that one statement has them all."""

from datetime import timedelta
from decimal import Decimal
from itertools import combinations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.models import State
from policies.rules.language import INFINITE, SERVICE_USER, Scope, SumOf, Window, initiator_id
from portal.treasury.models import Withdrawal
from tests.treasury.measures.conftest import COLD

pytestmark = pytest.mark.django_db
DAY = SumOf((), Window.DAY)
SCOPES = [tuple(sorted(scope)) for length in range(len(Scope) + 1) for scope in combinations(Scope, length)]
EVERY = [SumOf(scope, window) for scope in SCOPES for window in Window]


@pytest.fixture(autouse=True)
def _still(settings):
    settings.PAPER_PRICES = "still"


def test_a_sum_counts_the_request_itself_before_it_has_a_row(asked_now):
    assert asked_now(DAY).sums[DAY] == asked_now(DAY).value == Decimal("64.00")


def test_a_sum_counts_what_left_within_its_window_and_what_is_held(asked_now, left):
    """CR-10: open and executed amounts together."""
    left("10.00", hours=2)
    left("20.00", hours=30)
    left("40.00", hours=100, state=State.PENDING, sent_at=None)
    # Asked long ago and still open, it is held now.
    Withdrawal.objects.filter(value_hundredths=4000).update(released_at=None)
    change = Withdrawal.objects.get(value_hundredths=4000).change
    change.expires_at = timezone.now() + timedelta(hours=1)
    change.save()
    sums = asked_now(*EVERY).sums
    own = Decimal("64.00")
    assert [sums[SumOf((), window)] - own for window in Window] == [40, 50, 70, 70]


@pytest.mark.parametrize("state", [State.REJECTED, State.CANCELLED, State.FAILED, State.EXPIRED, State.STALE])
def test_what_ended_otherwise_leaves_the_sum(asked_now, left, state):
    left(state=state)
    assert asked_now(DAY).sums[DAY] == asked_now().value


def test_what_is_past_its_time_leaves_the_sum_although_nobody_has_written_so(asked_now, left):
    """R5: open past its time is expired, even if no job has run."""
    left(hours=73, state=State.PENDING)
    assert asked_now(DAY).sums[DAY] == asked_now().value
    left(hours=73, state=State.APPROVED)
    assert asked_now(DAY).sums[DAY] == asked_now().value + 10


def test_a_request_that_has_its_row_is_counted_once(asked_now, left):
    change = left("64.00", state=State.PENDING).change
    assert asked_now(DAY, change=change).sums[DAY] == Decimal("64.00")
    assert asked_now(DAY).sums[DAY] == Decimal("128.00")


def test_one_without_a_value_counts_at_the_price_of_now(asked_now, left):
    left(None)
    assert asked_now(DAY).sums[DAY] - asked_now().value == Decimal("64.00")


def test_one_without_a_value_and_without_a_price_counts_as_infinite(asked_now, left):
    left(None, asset="NIX")
    assert asked_now(DAY).sums[DAY] == INFINITE
    bitcoin = SumOf((Scope.ASSET,), Window.DAY)
    assert asked_now(bitcoin).sums[bitcoin] == asked_now().value


def test_what_a_node_of_before_wrote_counts_into_every_sum(asked_now, left):
    """Without a time, a destination or who asked: as executed when its request ended, and to anywhere by anybody."""
    left(None, sent_at=None, destination="", initiator="")
    sums = asked_now(*EVERY).sums
    assert {total - asked_now().value for total in sums.values()} == {Decimal("64.00")}


def test_huge_values_add_up(asked_now, left):
    for _ in range(3):
        left(None, value_hundredths=2**62)
    assert asked_now(DAY).sums[DAY] == 3 * Decimal(2**62).scaleb(-2) + Decimal("64.00")


PAST = st.lists(
    st.tuples(
        st.integers(1, 10**6), st.sampled_from([0.5, 3.0, 40.0, 300.0, 800.0]),
        st.sampled_from([State.EXECUTED, State.PENDING, State.APPROVED, State.REJECTED]),
        *(st.booleans() for _ in Scope),
    ),
    max_size=12,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(past=PAST)
def test_every_sum_is_what_adding_up_gives(world, treasury_bot, asked_now, left, past):
    """Whatever the rows share with it, and however long ago they left: held ones count in each window."""
    Withdrawal.objects.all().delete()
    bot = initiator_id(SERVICE_USER, treasury_bot.service_user.pk)
    expected = dict.fromkeys(EVERY, asked_now().value)
    for value, hours, state, same_asset, _same_account, same_destination, same_initiator in past:
        held = state in (State.PENDING, State.APPROVED)
        row = left(
            Decimal(value).scaleb(-2), hours=min(hours, 60) if held else hours, state=state,
            asset="XXBT" if same_asset else "XETH", destination=COLD if same_destination else "elsewhere",
            initiator=bot if same_initiator else "member:1",
        )  # fmt: skip
        shared = {Scope.ACCOUNT}
        shared |= {Scope.ASSET} if same_asset else set()
        shared |= {Scope.DESTINATION} if same_destination else set()
        shared |= {Scope.INITIATOR} if same_initiator else set()
        for each in EVERY:
            counts = held or (row.sent_at is not None and timezone.now() - row.sent_at <= each.window.length)
            if counts and shared.issuperset(each.scope):
                expected[each] += Decimal(value).scaleb(-2)
    assert asked_now(*EVERY).sums == expected


def test_any_number_of_sums_takes_one_statement(asked_now, left):
    left()
    costs = []
    for sums in (EVERY[:1], EVERY):
        with CaptureQueriesContext(connection) as queries:
            asked_now(*sums)
        costs.append(len(queries))
        assert sum("treasury_withdrawal" in query["sql"] for query in queries) == 1
    assert costs[0] == costs[1]


def test_nothing_of_another_organization_is_counted(asked_now, left, world):
    theirs = next(bot for bot in world.bots.values() if bot.service_user.organization_id == world.elsewhere.pk)
    left("99.00", bot=theirs)
    left("99.00", bot=theirs, state=State.APPROVED)
    assert set(asked_now(*EVERY).sums.values()) == {asked_now().value}
