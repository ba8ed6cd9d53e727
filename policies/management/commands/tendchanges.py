"""Does for requests what only time brings about; a timer may call it every minute."""

from django.core.management.base import BaseCommand

from policies.changes import execute, expire_due
from policies.models import ChangeRequest, State
from portal.core.errors import DomainError


class Command(BaseCommand):
    help = "Expire requests that are past their time, and ask again for approved ones not known to be done."

    def handle(self, *args: object, **options: object) -> None:
        expired = expire_due()
        waiting = ChangeRequest.objects.filter(state=State.APPROVED).order_by("pk")
        asked, executed = list(waiting.values_list("reference", flat=True)), 0
        for reference in asked:
            try:
                executed += execute(reference).state == State.EXECUTED
            except DomainError as error:
                self.stderr.write(f"{reference}: {error.message}")
        self.stdout.write(f"Expired {expired}. Asked again for {len(asked)} approved, {executed} of them executed.")
