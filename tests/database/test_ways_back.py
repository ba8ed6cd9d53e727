"""What migrations write by hand in SQL goes back as it came, and comes again the same."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from tests.database import triggers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
# Each before those that its later migrations build on: it goes back alone.
OURS = ("treasury", "paper", "policies", "accounts", "audit")


def test_triggers_go_with_their_migration_and_come_back():
    """The history, the ledger and the walls between Organizations: going back leaves none of the app's behind."""
    whole = triggers.present()
    there = MigrationLoader(connection).disk_migrations
    try:
        for app in OURS:
            later = [name for of, name in there if of == app and name > "0002"]
            assert later, f"nothing is written by hand in {app} any more: take the app out of this list"
            before = triggers.present()
            call_command("migrate", app, "0001", verbosity=0)
            assert triggers.present() < before, app
    finally:
        call_command("migrate", verbosity=0)
    assert triggers.present() == whole
