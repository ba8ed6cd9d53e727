"""An empty database for tests that count everything in it."""

from django.core.management import call_command

from tests.database import triggers


def clear() -> None:
    """Remove the cast; within a test's own transaction it is back afterwards."""
    with triggers.lifted():
        call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)
