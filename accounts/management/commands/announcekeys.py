"""Mails what is due about keys: about to expire, never used, unused."""

from django.core.management.base import BaseCommand

from accounts import mail
from accounts.announcing import announce_due


class Command(BaseCommand):
    help = "Mail each warning about a key that is due, once. Run it every hour."

    def handle(self, *args: object, **options: object) -> None:
        announced = announce_due()
        mail.settle()
        self.stdout.write(f"{announced} warnings about keys were mailed.")
