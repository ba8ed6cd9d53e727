"""A million withdrawals of the past: a sum reads those of its window along an index, and a decision asks no more."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction
from django.utils import timezone

from policies import payload
from policies.measures import measures
from policies.rules.language import Scope, SumOf, Window
from portal.treasury.measures import past as reading
from portal.treasury.models import Address, Withdrawal
from portal.treasury.operations import Withdraw
from tests.database.plans import analyze, readings
from tests.treasury.measures.conftest import COLD

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql, pytest.mark.slow]
TABLE = "treasury_withdrawal"
PAST = 1_000_000
# One of them left in each stretch of so many seconds: a tenth of all within the last month.
EVERY_SECONDS = 26
MONTH = 30 * 24 * 3600 // EVERY_SECONDS
DAY = 24 * 3600 // EVERY_SECONDS
# Of requests that are not there, which nothing looks at meanwhile: all is as before when the test is over.
FILL = """
    INSERT INTO treasury_withdrawal (organization_id, account_id, change_id, reference, address_id, asset, amount_units,
        fee_units, created_at, value_hundredths, destination, initiator, sent_at)
    SELECT %(organization)s, %(account)s, 1000000000 + n, 'past-' || n, %(address)s, 'XXBT', 10, 1,
        at, 100, 'Bitcoin · ' || n %% 5000, 'member:' || n %% 100, at
    FROM (SELECT n, %(now)s - n * %(step)s AS at FROM generate_series(1, %(count)s) n) AS past
"""

CONSTRAINTS = "SELECT conname FROM pg_constraint WHERE contype IN ('f', 'u') AND conrelid = %s::regclass"
INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = %s
        AND indexname NOT IN (SELECT conname FROM pg_constraint)
"""
# Those that begin with the Organization, and one of which is right: the others are nobody's temptation.
TEMPTING = ("withdrawal_by_organization", "withdrawal_by_time", "withdrawal_held", "withdrawal_sums")


@pytest.fixture
def million(world) -> Iterator[None]:
    """Gone again afterwards."""
    address = Address.objects.get(account=world.account, key="btc-cold")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute(f"ALTER TABLE {TABLE} DISABLE TRIGGER USER")
            cursor.execute(CONSTRAINTS, [TABLE])
            for (name,) in cursor.fetchall():
                cursor.execute(f"ALTER TABLE {TABLE} DROP CONSTRAINT {name}")
            # An index is made anew in a moment, and kept up for a million rows in a minute.
            cursor.execute(INDEXES, [TABLE])
            indexes = cursor.fetchall()
            for name, _ in indexes:
                cursor.execute(f"DROP INDEX {name}")
            given = {
                "organization": world.organization.pk, "account": world.account.pk, "address": address.pk,
                "now": timezone.now(), "step": timedelta(seconds=EVERY_SECONDS), "count": PAST,
            }  # fmt: skip
            cursor.execute(FILL, given)
            for name, made in indexes:
                if name in TEMPTING:
                    cursor.execute(made)
        analyze(TABLE)
        yield
        transaction.set_rollback(True)


def test_sums_over_a_million_read_their_window_along_the_index(million, asked_now, world, ask):
    """However many rules ask for sums: as many statements, and none goes through the whole table."""
    for sums, most in (
        ((SumOf((), Window.DAY),), DAY),
        (tuple(SumOf((scope,), window) for scope in Scope for window in Window), MONTH),
    ):
        found = readings(partial(asked_now, *sums))
        # And one of the test's own, for the address.
        assert len(found) == 4
        assert not [told.sql for told in found if TABLE in told.whole]
        assert sum(told.rows[TABLE] for told in found) <= most + 10
    # Each is one dollar.
    day = SumOf((), Window.DAY)
    assert abs(asked_now(day).sums[day] - asked_now().value - DAY) <= 2
    assert Withdrawal.objects.filter(destination=COLD).count() == 0
    _first_of_the_past_is_read_along_an_index(world)
    _a_request_that_stands_as_well(world, ask)


def _a_request_that_stands_as_well(world, ask) -> None:
    """As it is decided on, and as a list shows it."""
    change = ask("0.01")
    params = payload.decode(Withdraw, change.params)
    sums = [SumOf((scope,), window) for scope in Scope for window in Window]
    found = readings(lambda: measures().situations(world.organization, [(change, params)], sums, with_ages=True))
    assert not [told.sql for told in found if TABLE in told.whole]
    assert sum(each.rows[TABLE] for each in found) <= MONTH + 10


def _first_of_the_past_is_read_along_an_index(world) -> None:
    since = timezone.now() - timedelta(days=90)

    def read() -> None:
        told = measures().past(world.organization, since)
        for _ in range(reading.AT_A_TIME + 1):
            next(told)

    found = [told for told in readings(read) if told.rows[TABLE]]
    assert len(found) == 2
    assert all(told.rows[TABLE] <= reading.AT_A_TIME + 1 and TABLE not in told.whole for told in found)
