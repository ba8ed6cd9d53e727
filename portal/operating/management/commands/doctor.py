"""Looks at an installation from within and from outside, and says what to do about each thing."""

import sys
from argparse import ArgumentParser
from contextlib import suppress

from django.core.management.base import BaseCommand, CommandError

from portal.loading import load_pages
from portal.operating.doctor import looks, printing, rounds
from portal.operating.doctor.outside import site


class Command(BaseCommand):
    help = "Look at settings, keys, database, clock, Redis, mail, files and versions; each line says what to do."
    # What they find wrong is one of its lines.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to look from outside as well, whom to send a mail, and how to say it."""
        parser.add_argument(
            "--url", default="", help="look at the portal from outside as well, https://portal.example.com"
        )
        parser.add_argument(
            "--authority", default="", metavar="FILE", help="with --url: certificates to trust beside the system's"
        )
        parser.add_argument(
            "--plain-port", type=int, default=80, help="with --url: where plain HTTP is sent on (default 80)"
        )
        parser.add_argument("--mail-to", default="", metavar="ADDRESS", help="send one mail there")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")

    def handle(
        self, *args: object, url: str = "", authority: str = "", plain_port: int = 80, mail_to: str = "",
        as_json: bool = False, **options: object,
    ) -> None:  # fmt: skip
        """Print what was found; exit 1 if anything is wrong.

        Raises: CommandError if --url is no address of a site.
        """
        wanted = looks.here()
        if url:
            try:
                wanted += looks.outside(site.at(url, authority=authority, plain_port=plain_port))
            except site.WrongAddress as error:
                raise CommandError(str(error)) from error
        if mail_to:
            wanted.append(looks.a_mail(mail_to))
        with suppress(Exception):  # the look at the checks loads it too, and says what is wrong
            load_pages()
        found = rounds.taken(wanted)
        in_colour = self.stdout.isatty() and not options.get("no_color")
        self.stdout.write(printing.as_json(found) if as_json else printing.as_lines(found, in_colour=in_colour))
        if not printing.is_well(found):
            # What is wrong was said already; nothing more of it belongs on the screen.
            sys.exit(1)
