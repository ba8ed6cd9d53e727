"""Sets how fast an Organization's bots may call and trade: the operator's, as it is the machine that bears it."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from accounts.api_keys import lifecycle
from accounts.models import Organization
from accounts.models.organization import ApiTier
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core import call_origin
from portal.core.actors import operator
from portal.core.management.pageless import PagelessCommand


class Command(PagelessCommand):
    help = "Set the tier of an organization's bots: starter, intermediate, pro, or off for no limit."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose tier, and which."""
        parser.add_argument("organization", help="its name")
        parser.add_argument("tier", choices=ApiTier.values)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Set the tier and record it; the same tier again changes nothing.

        Raises: CommandError if there is no Organization of that name.
        """
        with call_origin.origin(source="", via="setapitier"), transaction.atomic():
            found = Organization.objects.select_for_update(no_key=True).filter(name__iexact=options["organization"])
            organization = found.first()
            if organization is None:
                raise CommandError("There is no such organization.")
            before, after = ApiTier(organization.api_tier), ApiTier(options["tier"])
            if before is not after:
                organization.api_tier = after
                organization.save(update_fields=["api_tier"])
                # The tier of a key is remembered with it, in every process.
                lifecycle.touch_organization(organization)
                record(
                    EventKind.API_TIER_CHANGED,
                    actor=operator(organization.pk),
                    subject=organization,
                    before=before.label,
                    after=after.label,
                )
        self.stdout.write(f"The bots of {organization.name} have the tier {after.label}.")
