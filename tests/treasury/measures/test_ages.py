"""How long an Account's book has led to a destination: without a gap, whatever it was called."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.changes import propose
from portal.treasury.destinations.identity import identity
from portal.treasury.measures.ages import age_hours, hours_in_book
from portal.treasury.models import Address
from portal.treasury.operations import RemoveAddress, RenameAddress, remove_address, rename_address
from tests.factories.world import BTC_COLD, ETH_COLD
from tests.treasury.measures.conftest import COLD

# Long before the cast was made.
START = datetime(2025, 1, 1, tzinfo=UTC)
LAST = 40
IBAN = "DE89370400440532013000"


def at(hour):
    return START + timedelta(hours=hour)


@pytest.fixture
def cold(world):
    """btc-cold, a hundred hours in the book at `at(100)`."""
    Address.objects.filter(account=world.account, key="btc-cold").update(added_at=at(0))
    return Address.objects.get(account=world.account, key="btc-cold")


@pytest.mark.django_db
def test_the_age_counts_from_when_it_was_added(cold):
    assert age_hours(cold.account_id, COLD, at(100)) == 100


@pytest.mark.django_db
def test_a_renaming_makes_no_gap(cold, owner):
    params = RenameAddress(cold.account_id, cold.pk, "btc-cold", "vault")
    propose(rename_address, actor=owner, params=params)
    assert Address.objects.filter(account=cold.account, address=BTC_COLD).count() == 2
    assert age_hours(cold.account_id, COLD, at(10**6)) == 10**6


@pytest.mark.django_db
def test_what_is_not_in_the_book_any_more_has_no_age(cold, owner):
    propose(remove_address, actor=owner, params=RemoveAddress(cold.account_id, cold.pk, "btc-cold"))
    assert age_hours(cold.account_id, COLD, at(10**6)) == 0


@pytest.mark.django_db
def test_what_was_taken_out_and_put_back_begins_anew(cold):
    again = {field.attname: getattr(cold, field.attname) for field in Address._meta.concrete_fields}
    Address.objects.filter(pk=cold.pk).update(removed_at=at(50))
    Address.objects.create(**{**again, "id": None, "added_at": at(60)})
    assert age_hours(cold.account_id, COLD, at(100)) == 40


@pytest.mark.django_db
def test_another_account_that_has_it_makes_it_no_older_here(cold, world):
    theirs = world.elsewhere.accounts.get()
    assert age_hours(theirs.pk, COLD, at(100)) == 0


@pytest.mark.django_db
def test_capitals_and_assets_make_no_other_destination(cold):
    """One destination, in the book for two assets and written in two ways: the older of both counts."""
    fields = {"organization": cold.organization, "account": cold.account, "network": "Ethereum", "added_by": "-"}
    Address.objects.create(**fields, key="a", asset="XETH", method="-", address=ETH_COLD.lower(), added_at=at(10))
    Address.objects.create(**fields, key="b", asset="USDC", method="-", address=ETH_COLD, added_at=at(70))
    assert age_hours(cold.account_id, identity("Ethereum", ETH_COLD, ""), at(100)) == 90


@pytest.mark.django_db
def test_another_reference_and_another_holder_make_no_other_bank_account(cold):
    """Else a rule about it would be escaped by one more address in the book."""
    fields = {"organization": cold.organization, "account": cold.account, "network": "SEPA", "asset": "ZEUR"}
    first, second = f"{IBAN}/Vendor GmbH", f"{IBAN.lower()}/Somebody Else"
    Address.objects.create(**fields, key="a", method="-", added_by="-", address=first, added_at=at(10))
    Address.objects.create(**fields, key="b", method="-", added_by="-", address=second, memo="INV 2", added_at=at(70))
    assert identity("SEPA", first, "") == identity("SEPA", second, "INV 2") == f"SEPA · {IBAN}"
    assert age_hours(cold.account_id, f"SEPA · {IBAN}", at(100)) == 90
    assert identity("SWIFT", "COBADEFF/12345678/A B", "1") == identity("SWIFT", "COBADEFF/12345678/C D", "")
    assert identity("SWIFT", "COBADEFF/12345678/A B", "") != identity("SWIFT", "COBADEFF/12345679/A B", "")


@given(
    stays=st.lists(
        st.tuples(st.integers(0, LAST - 1), st.one_of(st.none(), st.integers(1, 10))), max_size=6
    ),
    now=st.integers(0, LAST),
)  # fmt: skip
def test_the_age_is_what_counting_hour_by_hour_gives(stays, now):
    """Rows that touch or overlap are one stay; before a gap nothing counts."""
    rows = [(begins, None if length is None else begins + length) for begins, length in stays]

    def covered(begins):
        """Whether the whole hour from `begins` on was in the book."""
        return any(first <= begins and (ends is None or ends >= begins + 1) for first, ends in rows)

    there_now = any(first <= now and (ends is None or ends >= now) for first, ends in rows)
    hours = 0
    while there_now and covered(now - hours - 1):
        hours += 1
    found = hours_in_book([(at(first), None if ends is None else at(ends)) for first, ends in rows], at(now))
    assert found == hours


@pytest.mark.parametrize(
    ("network", "one", "other", "is_same"),
    [
        ("Bitcoin", BTC_COLD, BTC_COLD.upper(), True),
        ("Ethereum", ETH_COLD, ETH_COLD.lower(), True),
        ("Arbitrum One", ETH_COLD, ETH_COLD.lower(), True),
        ("Ripple", "rAbcdef", "rabcdef", False),
        ("SEPA", "DE89 3704 0044 0532 0130 00/Ana", "DE89370400440532013000/Ana", True),
    ],
)
def test_a_destination_is_the_same_however_it_is_written(network, one, other, is_same):
    assert (identity(network, one, "") == identity(network, other, "")) is is_same


def test_a_memo_and_a_network_make_another_destination():
    told = {identity(*where) for where in (
        ("Ethereum", ETH_COLD, ""), ("Arbitrum One", ETH_COLD, ""), ("Ethereum", ETH_COLD, "1"),
    )}  # fmt: skip
    assert len(told) == 3
