"""Founds an Organization: the operator's road in, and the only one besides the set-up page."""

import sys
from getpass import getpass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse

from accounts.authentication import email_links, passwords
from accounts.authentication.passwords import LONGEST
from accounts.factors import totp
from accounts.models import User
from accounts.models.invitation import LinkPurpose
from accounts.models.organization import Currency, SecondFactorLevel
from accounts.organizations.founding import create_organization
from portal.core import call_origin
from portal.core.display.markup import is_unseen
from portal.core.errors import DomainError
from portal.core.forms import refuse_foreign_letters
from portal.core.management.asking import agrees
from portal.core.secrets.canary import SealingCommand


class Command(SealingCommand):
    help = "Found an organization with its owner, and print once what the owner's authenticator app needs."

    def add_arguments(self, parser: CommandParser) -> None:
        """What the operator says at once; a password, and whether it is meant, is asked."""
        parser.add_argument("--name", required=True, help="of the organization")
        currencies = ", ".join(Currency.values)
        parser.add_argument("--currency", required=True, help=f"in which balances' worth is told: {currencies}")
        parser.add_argument("--owner-email", required=True)
        parser.add_argument("--owner-name", required=True)
        parser.add_argument(
            "--level",
            choices=SecondFactorLevel.values,
            default=SecondFactorLevel.ANY.value,
            help="which second factor members sign in with: any, or a passkey only",
        )
        parser.add_argument("--yes", action="store_true", help="do not ask to confirm")
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        """Found the Organization, and print once how its Owner gets in.

        Raises: CommandError for what cannot be or is not confirmed; nothing is written then.
        """
        email = self._address(str(options["owner_email"]))
        name, owner_name = str(options["name"]).strip(), str(options["owner_name"]).strip()
        currency = str(options["currency"]).strip().upper()
        level = SecondFactorLevel(str(options["level"]))
        self._check(name, owner_name, currency)
        known = User.objects.filter(email=email).first()
        self.stdout.write(f"{name}, in {currency}; sign-in with: {level.label}. Owner: {owner_name} <{email}>.")
        if not (options["yes"] or options["password_stdin"] or agrees("Found it?")):
            raise CommandError("Nothing was founded.")
        person = User(email=email, name=owner_name)
        password = None if known else self._password(person, name, stdin=options["password_stdin"])
        offered = totp.offer(email)
        try:
            with call_origin.origin(source="", via="createorganization"), transaction.atomic():
                owner = known or User.objects.create_user(email, password, name=owner_name)
                create_organization(name=name, currency=currency, level=level, owner=owner)
                if known is None and level == SecondFactorLevel.ANY:
                    totp.enrol(owner, offered)
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{name} is founded. Its owner is {owner.name} <{email}>.")
        if known is not None:
            self.stdout.write("They sign in as before, and switch to it.")
        elif level == SecondFactorLevel.ANY:
            self.stdout.write("Add this to their authenticator app now; it is not shown again:")
            self.stdout.write(f"  secret  {offered.secret}")
            self.stdout.write(f"  link    {offered.uri}")
        else:
            path = reverse(
                "accounts:enrol_link",
                kwargs={"token": email_links.issue(owner, LinkPurpose.ENROL, member=owner.memberships.get()).text},
            )
            self.stdout.write("They enrol a passkey with this link and their password, once, within seven days:")
            self.stdout.write(f"  link    {email_links.absolute(path)}")

    def _check(self, name: str, owner_name: str, currency: str) -> None:
        if not 1 <= len(name) <= 80 or any(is_unseen(letter) for letter in name):
            raise CommandError("The name has 1 to 80 characters that can be seen.")
        if not 1 <= len(owner_name) <= 80 or any(is_unseen(letter) for letter in owner_name):
            raise CommandError("The owner's name has 1 to 80 characters that can be seen.")
        if currency not in Currency.values:
            raise CommandError(f"The currency is one of {', '.join(Currency.values)}.")

    def _address(self, given: str) -> str:
        try:
            # Before it is written in small letters: some letters beyond ASCII become plain ones by that.
            refuse_foreign_letters(given)
            validate_email(given.strip())
        except ValidationError as error:
            raise CommandError("The owner's email address is not one.") from error
        return given.strip().lower()

    def _password(self, user: User, organization: str, *, stdin: bool) -> str:
        if stdin:
            password = sys.stdin.readline().rstrip("\n")
        else:
            password = getpass("Password of the owner: ")
            if password != getpass("Once more: "):
                raise CommandError("The two passwords differ.")
        if len(password) > LONGEST:
            raise CommandError(f"The password has at most {LONGEST} characters.")
        try:
            passwords.check(password, user, organizations=(organization,))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        return password
