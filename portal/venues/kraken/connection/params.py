"""What requests about a connection to an exchange carry: rows and public halves, never a secret."""

from dataclasses import dataclass
from datetime import datetime

from portal.venues.kraken.models import Purpose, Tier, shortened


@dataclass(frozen=True, slots=True)
class Proposed:
    """A credential that was typed and tried, and lies sealed in its row until the request is carried out.

    What the exchange said of it stands in the request, so that its digest covers what was agreed to.
    """

    id: int
    public: str
    purpose: Purpose
    permissions: tuple[str, ...]
    ip_allowlist: tuple[str, ...]
    expires_at: datetime | None
    query_from: datetime | None
    query_until: datetime | None
    nonce_window: int

    @property
    def short(self) -> str:
        """The public half as people read it."""
        return shortened(self.public)


@dataclass(frozen=True, slots=True)
class Connect:
    """An Account of that name at that exchange: a new one, or `account_id`, which was disconnected."""

    exchange: str
    name: str
    tier: Tier
    credentials: tuple[Proposed, ...]
    account_id: int | None = None


@dataclass(frozen=True, slots=True)
class AddCredential:
    """One more credential of an Account, or one in place of `replaces`."""

    account_id: int
    account: str
    credential: Proposed
    replaces: int | None = None
    replaced_public: str = ""


@dataclass(frozen=True, slots=True)
class RemoveCredential:
    """A credential that shall serve no more."""

    account_id: int
    account: str
    credential_id: int
    public: str
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Disconnect:
    """An Account that shall not be spoken for at its exchange any more. `open_orders`: as many as were open when it
    was asked, None if nobody could say."""

    account_id: int
    account: str
    open_orders: int | None = None
