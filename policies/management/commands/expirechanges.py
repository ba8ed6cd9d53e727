"""Does by hand, or by a timer, what `manage.py work` does for requests all the time."""

from policies.changes import expire_due
from policies.changes.cancel_and_expire import ask_unknown_again
from portal.core.management.pageless import PagelessCommand


class Command(PagelessCommand):
    help = "Expire requests that are past their time, and ask again for approved ones not known to be done."

    def handle(self, *args: object, **options: object) -> None:
        """Write down what has expired, ask venues about what they left open, and print how much that was."""
        expired, found = expire_due(), ask_unknown_again()
        for reference, message in found.errors.items():
            self.stderr.write(f"{reference}: {message}")
        self.stdout.write(
            f"Expired {expired}. Asked again for {found.asked} approved, {found.executed} of them executed."
        )
