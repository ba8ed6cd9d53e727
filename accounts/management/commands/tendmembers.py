"""Writes down for members what only time brings about; a timer may call it every hour."""

from django.core.management.base import BaseCommand

from accounts.suspensions import record_lapsed


class Command(BaseCommand):
    help = "Record the suspensions by one person that have ended by themselves. They ended at their time all the same."

    def handle(self, *args: object, **options: object) -> None:
        self.stdout.write(f"Recorded {record_lapsed()} lapsed.")
