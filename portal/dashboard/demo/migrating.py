"""Bringing a database up to date on the way to something else: in the same process, and only if there is need."""

from django.core.checks import Tags
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def bring_up_to_date(command: BaseCommand) -> None:
    """Migrate if there is something to do: to look takes less than to find nothing."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0)
        # What could not be looked at before: the samples of the sealing keys.
        command.check(tags=[Tags.database])
