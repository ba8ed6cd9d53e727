"""Sets up the roles of a PostgreSQL database, so that what serves the portal cannot rewrite its history."""

from argparse import ArgumentParser

from django.core.management.base import CommandError
from django.db import DatabaseError

from portal.audit import roles
from portal.core.management.pageless import PagelessCommand


class Command(PagelessCommand):
    help = "Give a role what serving needs, and another what reading needs. Run it as the owner, after each migrate."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The names of the roles; whether to look at the SQL alone."""
        parser.add_argument("--web", default="", metavar="NAME", help="serves pages, bots and `work`")
        parser.add_argument("--readonly", default="", metavar="NAME", help="reads everything and changes nothing")
        parser.add_argument("--print", action="store_true", dest="only_print", help="print the SQL instead")

    def handle(self, *args: object, web: str, readonly: str, only_print: bool, **options: object) -> None:
        """Make the roles and give them what they need, or print how.

        Raises: CommandError where no role is named, one cannot be, or the database refuses.
        """
        named = roles.Roles(web=web, readonly=readonly)
        if not named.all:
            raise CommandError("Name a role: --web NAME, --readonly NAME, or both.")
        try:
            if only_print:
                self.stdout.write("\n".join(f"{statement};" for statement in roles.statements(named)))
                return
            made = roles.apply(named)
        except roles.WrongRole as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"Nothing was changed: {str(error).strip()}") from error
        for name in made:
            self.stdout.write(f"{name} was made. It has no password yet: \\password {name} in psql gives it one.")
        self.stdout.write(f"{' and '.join(named.all)} may do what they need. Run this again after each migrate.")
