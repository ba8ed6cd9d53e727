"""Fair shares of the exchange's limits: one Service User that floods never starves the others."""

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from django.db import connection
from django.utils import timezone

from portal.venues.errors import OverShare
from portal.venues.kraken import calling, shares
from portal.venues.kraken.credentials import finding
from portal.venues.kraken.models import Connection, Share, Tier
from portal.venues.kraken.venue import KrakenVenue
from portal.venues.relaying import RelayedCall
from tests.venues.conftest import open_account

ONE, TWO, THREE = 101, 102, 103


@pytest.fixture(autouse=True)
def _limits(settings):
    settings.API_LIMITS = True


@pytest.fixture
def now(monkeypatch):
    """A clock that only the test moves."""
    clock = [1_800_000_000.0]
    monkeypatch.setattr(shares, "time", SimpleNamespace(time=lambda: clock[0]))
    return clock


@pytest.fixture
def account(db):
    return connect(Tier.PRO)


def connect(tier):
    held = open_account()
    Connection.objects.create(account=held, exchange="Test", tier=tier, connected_at=timezone.now())
    return held


def flood(account, who, method="Balance", most=200):
    """How many calls in a row are taken."""
    return next(number for number in range(most) if not shares.take(account.pk, who, method))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("tier", "maximum", "decay"), [("starter", 15, 0.33), ("intermediate", 20, 0.5), ("pro", 20, 1)]
)
def test_one_bot_shares_with_the_portal(tier, maximum, decay, now):
    account = connect(tier)
    assert flood(account, ONE) == maximum // 2
    # The level leaks half of what the exchange's does.
    now[0] += 3 / (decay / 2)
    assert flood(account, ONE) == 3
    row = Share.objects.get()
    assert row.maximum == maximum / 2
    assert row.decay == pytest.approx(decay / 2)


@pytest.mark.django_db
def test_whoever_floods_never_starves_the_others(account, now):
    assert flood(account, ONE) == 10
    # With a second one at work each has a third.
    assert flood(account, TWO) == 6
    assert not shares.take(account.pk, ONE, "Balance")
    for _ in range(100):
        now[0] += 1
        # The one goes on without a pause; the other calls as often as its share leaks.
        while shares.take(account.pk, ONE, "Balance"):
            pass
        if _ % 3 == 2:
            assert shares.take(account.pk, TWO, "Balance")


@pytest.mark.django_db
def test_all_shares_together_are_what_the_exchange_takes(account, now):
    """Everybody floods for an hour of the clock: the exchange's own counter would refuse none of it."""
    for who in (ONE, TWO, THREE):
        shares.take(account.pk, who, "AddOrder")
    level, taken = 0.0, 0
    for _ in range(600):
        now[0] += 1
        level = max(0.0, level - 1)
        for who in (ONE, TWO, THREE):
            while shares.take(account.pk, who, "Balance"):
                level, taken = level + 1, taken + 1
            assert level <= 20
    assert taken == pytest.approx(600 * 3 / 4 + 15, abs=4)


@pytest.mark.django_db
def test_who_has_not_called_for_a_minute_has_no_part(account, now):
    for who in (ONE, TWO, THREE):
        shares.take(account.pk, who, "Balance")
    assert Share.objects.get(who=THREE).maximum == 5
    now[0] += 61
    shares.take(account.pk, ONE, "Balance")
    assert Share.objects.get(who=ONE).maximum == 10


@pytest.mark.django_db
def test_calls_cost_what_the_exchange_counts(account, now):
    assert flood(account, ONE, "Ledgers") == 5
    assert all(shares.take(account.pk, ONE, "AddOrder") for _ in range(50))
    assert not shares.take(account.pk, ONE, "Balance")
    (use,) = shares.uses(account.pk)
    assert (use.service_user_id, use.level, use.maximum, use.is_at_work) == (ONE, 10, 10, True)
    assert Share.objects.get().calls == 55


@pytest.mark.django_db
def test_what_costs_more_than_a_whole_share_is_taken_when_nothing_is_on_it(account, now):
    for who in range(1, 21):
        shares.take(account.pk, who, "AddOrder")
    assert shares.take(account.pk, ONE, "Ledgers")
    assert not shares.take(account.pk, ONE, "Ledgers")
    now[0] += 45
    assert shares.take(account.pk, ONE, "Ledgers")


@pytest.mark.django_db
def test_a_flood_costs_seconds(account, now):
    """Whoever has to follow up on its own call is not refused, and its level stops at twice its share."""
    for _ in range(100):
        assert shares.take(account.pk, ONE, "Balance", may_refuse=False)
    assert Share.objects.get().level == 20
    for _ in range(100):
        assert not shares.take(account.pk, ONE, "Balance")
    now[0] += 22
    assert shares.take(account.pk, ONE, "Balance")


@pytest.mark.django_db
def test_the_page_shows_who_uses_how_much_today(account, now, settings):
    for who, calls in ((ONE, 3), (TWO, 5), (shares.PORTAL, 1)):
        for _ in range(calls):
            shares.take(account.pk, who, "Balance")
    found = [(use.service_user_id, use.calls, use.refused) for use in shares.uses(account.pk)]
    assert found == [(TWO, 5, 0), (ONE, 3, 0), (shares.PORTAL, 1, 0)]
    Share.objects.filter(who=TWO).update(day="2020-01-01", calls=900, refused=9)
    assert [use.service_user_id for use in shares.uses(account.pk)] == [ONE, shares.PORTAL]
    shares.take(account.pk, TWO, "Balance")
    assert Share.objects.get(who=TWO).calls == 1
    settings.API_LIMITS = False
    assert all(shares.take(account.pk, ONE, "Balance") for _ in range(50))


@pytest.mark.django_db
def test_a_share_is_one_statement(account, django_assert_num_queries):
    nobody = open_account()
    for held, method in ((account, "Balance"), (account, "Balance"), (account, "AddOrder"), (nobody, "Balance")):
        with django_assert_num_queries(1):
            assert shares.take(held.pk, ONE, method)
    assert Share.objects.get().account_id == account.pk


@pytest.mark.django_db
def test_the_portals_own_calls_count_to_its_own_share(connected, exchange):
    for _ in range(15):
        calling.ask(finding.for_rest(connected.pk), "Balance")
    calling.ask(finding.for_withdrawals(connected.pk), "WithdrawStatus")
    (use,) = shares.uses(connected.pk)
    assert (use.service_user_id, use.calls, use.refused) == (shares.PORTAL, 15, 0)


@pytest.mark.django_db
def test_a_call_above_the_share_does_not_leave(connected, exchange):
    def call(method):
        return KrakenVenue().relay(RelayedCall(connected.pk, ONE, method, {}, frozenset()))

    for _ in range(10):
        call("TradeBalance")
    with pytest.raises(OverShare, match="its share"):
        call("TradeBalance")
    assert len(exchange.asked) == 10
    # Orders cost nothing at the exchange's counter.
    call("AddOrder")
    assert len(exchange.asked) == 11


@pytest.mark.django_db(transaction=True)
def test_calls_at_once_are_counted_one_by_one(account):
    def many(who):
        try:
            return sum(shares.take(account.pk, who, "Balance") for _ in range(20))
        finally:
            connection.close()

    started = time.time()
    with ThreadPoolExecutor(4) as threads:
        taken = sum(threads.map(many, [ONE, ONE, TWO, TWO]))
    # What leaks meanwhile comes on top.
    assert taken <= 20 + (time.time() - started) + 1
    assert {use.service_user_id: use.calls + use.refused for use in shares.uses(account.pk)} == {ONE: 40, TWO: 40}
