"""The command that proves the history."""

from contextlib import contextmanager

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from portal.audit.kinds import EventKind
from portal.audit.models import Chain
from portal.audit.record import record
from portal.core import actors


@pytest.fixture
def verify(capsys):
    def run(**options):
        call_command("verifyaudit", **options)
        return capsys.readouterr().out.splitlines()

    return run


def test_it_prints_how_far_each_chain_reaches(organization, remember, verify):
    remember(3)
    with transaction.atomic():
        record(EventKind.SIGN_IN_FAILED, actor=actors.stranger("x"))
    chains = Chain.objects.order_by("pk")
    names = {chain.name: f" {chain.organization.name}" if chain.organization else "" for chain in chains}
    assert verify() == [f"{chain.name} {chain.length} {chain.head}{names[chain.name]}" for chain in chains]


def test_it_names_the_first_bad_row_and_fails(organization, remember, tamper, verify):
    """AU-5: exit 1 names the first bad row."""
    remember(5)
    tamper("UPDATE audit_auditevent SET outcome = 'failed' WHERE sequence IN (3, 4)")
    with pytest.raises(CommandError, match=f"organization-{organization.pk}, event 3: ") as caught:
        verify()
    assert caught.value.returncode == 1


def test_what_it_printed_earlier_shows_a_cut_tail(organization, remember, tamper, verify, tmp_path):
    """AU-5: a removed tail."""
    (first, _) = remember(2)
    kept = tmp_path / "heads"
    kept.write_text("\n".join(verify()))
    assert verify(kept=kept)
    tamper(
        "DELETE FROM audit_auditevent WHERE sequence = 2", f"UPDATE audit_chain SET length = 1, head = '{first.hash}'"
    )
    assert verify()
    with pytest.raises(CommandError, match="event 2: it was kept elsewhere and is gone"):
        verify(kept=kept)


def test_a_chain_that_is_gone_altogether_is_missed(organization, remember, tamper, verify, tmp_path):
    remember()
    kept = tmp_path / "heads"
    kept.write_text("\n".join(verify()))
    tamper("DELETE FROM audit_auditevent", "DELETE FROM audit_chain")
    with pytest.raises(CommandError, match="is gone"):
        verify(kept=kept)


def test_a_history_that_is_gone_altogether_is_missed_although_nothing_was_kept(organization, remember, tamper, verify):
    """fault security-L4, fault pages-C: every Organization has a history; which one it is is said in words."""
    remember()
    tamper("DELETE FROM audit_auditevent", "DELETE FROM audit_chain")
    with pytest.raises(CommandError, match=rf"organization-{organization.pk} \(Ledger Ltd\): its history is gone"):
        verify()


@pytest.mark.parametrize("text", ["one two", "a b c d", "name many hash"])
def test_another_file_is_no_proof(db, verify, tmp_path, text):
    kept = tmp_path / "heads"
    kept.write_text(text)
    with pytest.raises(CommandError, match="earlier run"):
        verify(kept=kept)


@contextmanager
def taking_no_changes():
    """As a standby does."""
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_it_proves_a_standby_which_gives_no_lock(organization, remember, tamper, verify):
    remember(3)
    with taking_no_changes():
        assert any(line.startswith(f"organization-{organization.pk} ") for line in verify())
    tamper("UPDATE audit_auditevent SET outcome = 'failed' WHERE sequence = 2")
    with taking_no_changes(), pytest.raises(CommandError, match=f"organization-{organization.pk}, event 2: "):
        verify()
