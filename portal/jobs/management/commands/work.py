"""Sends queued mail and does what only time brings about; any number may run beside each other."""

import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError

from portal.core.secrets.canary import SealingCommand
from portal.jobs import periodic, rounds, worker
from portal.loading import load_all


class Command(SealingCommand):
    help = "Work until stopped: send queued mail, expire requests, remind people. Several may run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whether to end when all is done, or with the process that started this one."""
        parser.add_argument("--once", action="store_true", help="Do what is due now, then end.")
        parser.add_argument(
            "--with-parent", action="store_true", help="End also when the process that started this one has ended."
        )

    def execute(self, *args: Any, **options: Any) -> str | None:
        """What stops it is one line of the log where programs read that."""
        try:
            return super().execute(*args, **options)
        except CommandError as error:
            if settings.LOG_FORMAT == "text":
                raise
            raise ImproperlyConfigured(str(error)) from error

    def handle(self, *args: object, **options: bool) -> None:
        """Work until told to stop, or once through what is due."""
        load_all()
        if options["once"]:
            ran = periodic.run_due()
            rounds.run_once()
            self.stdout.write(f"Did {ran} periodic tasks and {worker.run_ready()} queued tasks.")
            return
        found = worker.Worker(parent=os.getppid() if options["with_parent"] else None)
        found.listen()
        if not options["with_parent"] and settings.LOG_FORMAT == "text":
            self.stdout.write("Working. Ctrl-C or SIGTERM ends it, once what is being done is done.")
            self.stdout.flush()
        found.run()
