"""Makes the demo once, says how to get in, and plays everybody's authenticator app. Only where DEBUG is on."""

import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from accounts.factors import totp
from accounts.models import User
from accounts.models.second_factor import STEP_SECONDS
from portal.core.errors import DomainError
from portal.core.secrets.canary import SealingCommand
from portal.dashboard.demo import gateway, plan, told, treasury
from portal.dashboard.demo.migrating import bring_up_to_date


class Command(SealingCommand):
    help = "Make the demo and write var/demo.json; with --code, print somebody's current authentication code."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose code to print, where it is not the demo that is asked for."""
        parser.add_argument("--code", metavar="EMAIL", help="print the current authentication code of that member")
        parser.add_argument("--migrate", action="store_true", help="bring the database up to date first")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the demo where there is none, and print how to get in; or print one code.

        Raises: CommandError where DEBUG is off, or nobody of the demo has that address.
        """
        if not settings.DEBUG:
            raise CommandError("The demo is for trying out: set PORTAL_DEBUG=1, and never where money is.")
        if options["code"]:
            self.stdout.write(self._code(options["code"]))
            # Beside the code, not in it: scripts read the one, people both.
            self.stderr.write(f"It works once, for {2 * STEP_SECONDS - int(time.time()) % STEP_SECONDS} seconds.")
            return
        if options["migrate"]:
            bring_up_to_date(self)
        try:
            is_new = treasury.build()
            gateway.build(self.stderr.write)
        except DomainError as error:
            raise CommandError(f"The demo could not be made. {error.message}") from error
        path = Path(settings.VAR) / "demo.json"
        people = told.people()
        self._write(path, people)
        self._welcome(path, people, is_new=is_new)

    def _code(self, email: str) -> str:
        user = User.objects.filter(
            email=email.strip().lower(), memberships__organization__name__in=(plan.DEMO, plan.ELSEWHERE)
        ).first()
        if user is None:
            raise CommandError(f"Nobody in the demo has the address {email}.")
        return totp.current_code(user)

    def _write(self, path: Path, people: list[told.Person]) -> None:
        content = {
            "base_url": settings.BASE_URL,
            "members": [asdict(person) for person in people],
            "service_users": [asdict(bot) for bot in told.bots()],
            "withdrawal_addresses": [asdict(destination) for destination in told.destinations()],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        # Under a new name first: a reader never sees half of it, nor does anybody else see any of it.
        fresh = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(content, file, indent=2)
        fresh.replace(path)

    def _welcome(self, path: Path, people: list[told.Person], *, is_new: bool) -> None:
        self.stdout.write(f"The demo {'is made' if is_new else 'is there already'}. Open {settings.BASE_URL}/")
        self.stdout.write(f"  Everybody's password: {told.password()}")
        for person in people:
            what = sorted({right for rights in person.rights.values() for right in rights})
            self.stdout.write(f"  {person.email:<20} {person.organization:<14} {', '.join(what)}")
        self.stdout.write(
            f"  A current code, here in a second terminal: {self._python()} manage.py demo --code ana@demo.test"
        )
        self.stdout.write(f"  The keys of the bots, and everything for scripts: {path}")

    def _python(self) -> str:
        """How to call this again from here, in the environment that runs now."""
        python = Path(sys.executable)
        shown = python.relative_to(Path.cwd()) if python.is_relative_to(Path.cwd()) else python
        elsewhere = "" if Path(settings.VAR) == settings.BASE_DIR / "var" else f" PORTAL_VAR={settings.VAR}"
        return f"PORTAL_DEBUG=1{elsewhere} {shown}"
