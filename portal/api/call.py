"""Who calls, as the views of private methods see it."""

from dataclasses import dataclass

from accounts.api_keys.lifecycle import Credential
from accounts.models import ApiKey
from portal.venues.protocol import Venue
from portal.venues.registry import venue


@dataclass(frozen=True, slots=True)
class Caller:
    """The authenticated key behind a call; every query starts from its Account."""

    credential: Credential

    @property
    def account_id(self) -> int:
        """The one Account that the key belongs to."""
        return self.credential.account_id

    @property
    def venue(self) -> Venue:
        """The venue that carries out what is asked for this Account."""
        return venue(self.credential.venue)

    @property
    def short(self) -> str:
        """The public key as people read it: its first four letters and its last four."""
        public = self.credential.public
        return f"{public[:4]}…{public[-4:]}"

    def key(self) -> ApiKey:
        """The row of the key, with its Service User, Account and Organization."""
        related = "service_user__account", "service_user__organization"
        return ApiKey.objects.select_related(*related).get(pk=self.credential.id)
