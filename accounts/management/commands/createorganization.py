"""Founds an Organization: the operator's road in, and the only one besides the set-up page."""

import sys
from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction

from accounts.factors import totp
from accounts.models import User
from accounts.models.organization import SecondFactorLevel
from accounts.organizations import create_organization
from accounts.passwords import LONGEST
from portal.core import context
from portal.core.errors import DomainError


class Command(BaseCommand):
    help = "Found an organization with its owner, and print once what the owner's authenticator app needs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", required=True, help="of the organization")
        parser.add_argument("--currency", required=True, help="in which totals are shown, such as USD")
        parser.add_argument("--owner-email", required=True)
        parser.add_argument("--owner-name", required=True)
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        email = str(options["owner_email"]).strip().lower()
        name, owner_name = str(options["name"]).strip(), str(options["owner_name"]).strip()
        currency = str(options["currency"]).strip().upper()
        self._check(name, owner_name, currency, email)
        known = User.objects.filter(email=email).first()
        password = (
            None if known else self._password(User(email=email, name=owner_name), stdin=options["password_stdin"])
        )
        offered = totp.offer(email)
        try:
            with context.origin(source="", via="createorganization"), transaction.atomic():
                owner = known or User.objects.create_user(email, password, name=owner_name)
                create_organization(name=name, currency=currency, level=SecondFactorLevel.ANY, owner=owner)
                if known is None:
                    totp.enrol(owner, offered)
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{name} is founded. Its owner is {owner.name} <{email}>.")
        if known is not None:
            self.stdout.write("They sign in as before, and switch to it.")
            return
        self.stdout.write("Add this to their authenticator app now; it is not shown again:")
        self.stdout.write(f"  secret  {offered.secret}")
        self.stdout.write(f"  link    {offered.uri}")

    def _check(self, name: str, owner_name: str, currency: str, email: str) -> None:
        if not 1 <= len(name) <= 80 or not name.isprintable():
            raise CommandError("The name has 1 to 80 characters that can be seen.")
        if not 1 <= len(owner_name) <= 80 or not owner_name.isprintable():
            raise CommandError("The owner's name has 1 to 80 characters that can be seen.")
        if not 3 <= len(currency) <= 8 or not (currency.isascii() and currency.isalnum()):
            raise CommandError("The currency is a code such as USD.")
        try:
            validate_email(email)
        except ValidationError as error:
            raise CommandError("The owner's email address is not one.") from error

    def _password(self, user: User, *, stdin: bool) -> str:
        if stdin:
            password = sys.stdin.readline().rstrip("\n")
        else:
            password = getpass("Password of the owner: ")
            if password != getpass("Once more: "):
                raise CommandError("The two passwords differ.")
        if len(password) > LONGEST:
            raise CommandError(f"The password has at most {LONGEST} characters.")
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        return password
