"""The ledger attacked by whoever can write SQL as the portal itself."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from portal.venues.paper.ledger.models import Book, Entry, EntryKind, Posting
from portal.venues.paper.ledger.posting import Leg, post
from tests.database import triggers


def refuses(statement, *parameters) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, parameters)
    except DatabaseError:
        return True
    return False


def leg(entry: Entry, units: int, asset: str = "XXBT") -> Posting:
    return Posting.objects.create(entry=entry, book=Book.OUTSIDE, asset=asset, units=units, at=entry.at)


@pytest.fixture
def sealed(funded) -> Entry:
    return Entry.objects.get()


@pytest.fixture
def unsealed(funded) -> Entry:
    return Entry.objects.create(kind="deposit", reference="unsealed", at=timezone.now())


@pytest.mark.parametrize("legs", [[], [5], [5, -4], [2**62, -(2**62), 1]])
def test_an_entry_whose_legs_do_not_sum_to_zero_is_not_sealed(unsealed, legs):
    for units in legs:
        leg(unsealed, units)

    assert refuses("UPDATE paper_entry SET sealed = %s WHERE id = %s", True, unsealed.pk)


def test_the_legs_of_each_asset_must_sum_to_zero_by_themselves(unsealed):
    leg(unsealed, 5, "XXBT")
    leg(unsealed, -5, "XETH")

    assert refuses("UPDATE paper_entry SET sealed = %s WHERE id = %s", True, unsealed.pk)


def test_an_unbalanced_booking_leaves_nothing(funded):
    with pytest.raises(DatabaseError), transaction.atomic():
        post(EntryKind.DEPOSIT, "made up", [Leg("XXBT", 5, account_id=funded.pk)], at=timezone.now())
    assert not Entry.objects.filter(reference="made up").exists()


def test_an_entry_is_not_born_sealed(funded):
    statement = "INSERT INTO paper_entry (kind, reference, at, sealed) VALUES ('deposit', 'born', %s, %s)"

    assert refuses(statement, "2026-11-22 10:00:00+00:00", True)


@pytest.mark.parametrize(
    "change", ["sealed = NOT sealed", "reference = 'other'", "kind = 'withdrawal'", "at = '2020-01-01 00:00:00+00:00'"]
)
def test_a_sealed_entry_is_never_changed(sealed, change):
    assert refuses(f"UPDATE paper_entry SET {change} WHERE id = %s", sealed.pk)


def test_an_open_entry_changes_in_nothing_but_its_seal(unsealed):
    leg(unsealed, 5)
    leg(unsealed, -5)

    assert refuses("UPDATE paper_entry SET reference = 'other', sealed = %s WHERE id = %s", True, unsealed.pk)
    assert not refuses("UPDATE paper_entry SET sealed = %s WHERE id = %s", True, unsealed.pk)


def test_an_entry_is_never_deleted(sealed, unsealed):
    assert refuses("DELETE FROM paper_entry WHERE id = %s", sealed.pk)
    assert refuses("DELETE FROM paper_entry WHERE id = %s", unsealed.pk)


@pytest.mark.parametrize(
    "change", ["units = units + 1", "asset = 'XETH'", "fee_units = 1", "balance_units = balance_units + 1"]
)
def test_a_posting_is_never_changed(sealed, change):
    assert refuses(f"UPDATE paper_posting SET {change} WHERE entry_id = %s AND book = 'account'", sealed.pk)


def test_a_posting_is_not_moved_to_another_entry(sealed, unsealed):
    assert refuses("UPDATE paper_posting SET entry_id = %s WHERE entry_id = %s", unsealed.pk, sealed.pk)


def test_a_posting_is_never_deleted(sealed):
    assert refuses("DELETE FROM paper_posting WHERE entry_id = %s", sealed.pk)


def test_a_sealed_entry_takes_no_further_leg(sealed):
    with pytest.raises(DatabaseError), transaction.atomic():
        leg(sealed, 5)


def test_a_leg_has_the_time_of_its_entry(unsealed):
    with pytest.raises(DatabaseError), transaction.atomic():
        Posting.objects.create(entry=unsealed, book=Book.OUTSIDE, asset="XXBT", units=5, at=timezone.now())


def test_a_leg_on_an_account_is_complete(unsealed, funded):
    with pytest.raises(DatabaseError), transaction.atomic():
        Posting.objects.create(entry=unsealed, book=Book.ACCOUNT, account=funded, asset="XXBT", units=5, at=unsealed.at)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a clause of SQLite's")
def test_replacing_on_conflict_removes_nothing(sealed, unsealed):
    """A row that REPLACE removes fires no trigger for DELETE."""
    posting = sealed.postings.exclude(ledger_id=None).get()
    entry = "INSERT OR REPLACE INTO paper_entry (id, kind, reference, at, sealed) VALUES (%s, %s, %s, %s, %s)"
    columns = "id, entry_id, book, account_id, asset, units, fee_units, at, ledger_id, balance_units"
    replaced = (
        f"INSERT OR REPLACE INTO paper_posting ({columns}) VALUES (%s, %s, 'account', %s, 'XXBT', 1, 0, %s, %s, 1)"
    )

    assert refuses(entry, sealed.pk, "deposit", "other", sealed.at, False)
    assert refuses(entry, 999_999, sealed.kind, sealed.reference, sealed.at, False)
    assert refuses("UPDATE OR REPLACE paper_entry SET reference = %s WHERE id = %s", sealed.reference, unsealed.pk)
    assert refuses("UPDATE OR REPLACE paper_entry SET id = %s WHERE id = %s", sealed.pk, unsealed.pk)
    assert refuses(replaced, posting.pk, unsealed.pk, posting.account_id, unsealed.at, "LAAAAA-AAAAA-AAAAAA")
    assert refuses(replaced, 999_999, unsealed.pk, posting.account_id, unsealed.at, posting.ledger_id)


@pytest.mark.postgresql
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no TRUNCATE")
@pytest.mark.parametrize("table", ["paper_entry", "paper_posting"])
def test_the_ledger_is_not_emptied(sealed, table):
    assert refuses(f"TRUNCATE {table} CASCADE")


def test_the_triggers_are_in_force(db):
    expected = {"paper_entry_opens", "paper_entry_only_seals", "paper_entry_stays", "paper_posting_joins_open_entry"}

    assert expected <= triggers.present()
