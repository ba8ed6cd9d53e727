"""What migrations write by hand in SQL goes back as it came, and comes again the same."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from tests.database import triggers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
OURS = ("accounts", "audit", "paper", "policies", "treasury")


@pytest.mark.parametrize("app", OURS)
def test_triggers_go_with_their_migration_and_come_back(app):
    """The history, the ledger and the walls between Organizations: going back leaves none of the app's behind."""
    whole = triggers.present()
    later = [name for of, name in MigrationLoader(connection).disk_migrations if of == app and name > "0002"]
    assert later, "nothing is written by hand there any more: take the app out of this list"
    try:
        call_command("migrate", app, "0001", verbosity=0)
        assert triggers.present() < whole
    finally:
        call_command("migrate", verbosity=0)
    assert triggers.present() == whole
