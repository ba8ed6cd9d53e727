"""One call of a bot as it came, what goes back, and who calls."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model

from accounts.api_keys.lifecycle import Credential, NonceUsed, Refusal, Spent
from accounts.models import Account, ApiKey, Organization, ServiceUser
from portal.venues.protocol import Venue
from portal.venues.registry import venue

M = TypeVar("M", bound=Model)
# What an answer of the protocol is, unless it is a file.
JSON_TYPE: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Tried:
    """What `straight_path` has found out about a call that it gave up. Nobody looks, or spends, a second time.

    The body is read, None if it is not as long as it was said to be. With a `credential` the source stood well at
    `now`, and `outcome` is what became of the nonce, or how it went wrong; None if it was not tried.
    """

    body: bytes | None
    now: datetime
    credential: Credential | None = None
    is_signed: bool = False
    outcome: Spent | NonceUsed | Refusal | Exception | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request under `/0/`, as it came.

    `path` is what the client signed, `body` the exact bytes, None if there were more than are read; `media_type` is
    without parameters and in lower case; `source` is the trusted address (security WB-10). `has_other_nonce`: a header
    claims a nonce too. `tried`: the straight path knows something about it.
    """

    verb: str
    path: str
    query: str
    body: bytes | None
    media_type: str
    key: str
    signature: str
    source: str
    is_secure: bool
    has_other_nonce: bool = False
    tried: Tried | None = None


@dataclass(slots=True)
class Reply:
    """What goes back, always with HTTP 200; `error` is its first one, for whoever counts them.

    Not frozen, nor is Caller: one is made for each call, and a frozen one takes twice as long.
    """

    body: bytes
    media_type: str = JSON_TYPE
    file_name: str = ""
    error: str = ""


@dataclass(slots=True)
class Caller:
    """The authenticated key behind a call, for the handlers; every query starts from its Account."""

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

    def known_key(self) -> ApiKey:
        """The key with its Service User, Account and Organization, as far as its credential knows them: without asking.

        For who passes it on by its keys. What else is read of it, is read from the database then.
        """
        known = self.credential
        organization = _known(Organization, id=known.organization_id, currency=known.currency)
        account = _known(Account, id=known.account_id, organization_id=known.organization_id, venue=known.venue)
        bot = _known(
            ServiceUser,
            id=known.service_user_id,
            organization_id=known.organization_id,
            account_id=known.account_id,
            name=known.name,
            withdrawal_cap_hundredths=known.withdrawal_cap_hundredths,
            daily_cap_hundredths=known.daily_cap_hundredths,
        )
        account.organization = bot.organization = organization
        bot.account = account
        key = _known(ApiKey, id=known.id, service_user_id=known.service_user_id, public=known.public)
        key.service_user = bot
        return key

    def key(self) -> ApiKey:
        """The row of the key, with its Service User, Account and Organization."""
        related = "service_user__account", "service_user__organization"
        return ApiKey.objects.select_related(*related).get(pk=self.credential.id)


def _known(model: type[M], **fields: object) -> M:
    """A row of which so much is known; the other fields are read when they are asked for."""
    return model.from_db(DEFAULT_DB_ALIAS, list(fields), list(fields.values()))
