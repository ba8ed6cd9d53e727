"""The credential for a call: opened, and with all that signing takes."""

import hmac
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha512
from typing import Final

from django.db.models import QuerySet
from django.views.decorators.debug import sensitive_variables

from portal.core.secrets.sealing import unseal
from portal.venues.kraken import exchanges
from portal.venues.kraken.credentials import nonces
from portal.venues.kraken.models import Credential, Purpose
from portal.venues.kraken.upstream.outcomes import NotSent, Stopped

NOT_CONNECTED: Final = "This Account is not connected to its exchange."
NO_WITHDRAWING: Final = "This Account has no credential for withdrawals."
NOT_LISTED: Final = "The operator has taken this exchange off the list of exchanges."
STOPPED: Final = "The exchange refused the credential, so nothing is sent with it until somebody tries it again."


@dataclass(frozen=True, slots=True)
class Usable:
    """A credential ready to sign: `keyed` holds its secret, `next_nonce` gives None once it must not be used."""

    url: str
    public: str
    keyed: hmac.HMAC = field(repr=False)
    next_nonce: Callable[[], int | None] = field(repr=False)
    id: int | None = None
    account_id: int | None = None
    purpose: str = Purpose.REST
    has_window: bool = False
    permissions: frozenset[str] = frozenset()


def for_rest(account_id: int, permission: str = "") -> Usable:
    """The credential for everything but withdrawals; of several one that has `permission`, by the exchange's word.

    Raises: NotSent if the Account is not connected; Stopped if all are stopped.
    """
    rows = list(_active(account_id).filter(purpose=Purpose.REST).order_by("pk"))
    going = [row for row in rows if row.stopped_at is None]
    if not going:
        raise Stopped(STOPPED) if rows else NotSent(NOT_CONNECTED)
    return opened(next((row for row in going if permission in row.permissions), going[0]))


def for_withdrawals(account_id: int) -> Usable:
    """The one credential that withdraws. Raises: NotSent if there is none; Stopped if it is stopped."""
    row = _active(account_id).filter(purpose=Purpose.WITHDRAW).first()
    if row is None:
        raise NotSent(NO_WITHDRAWING)
    if row.stopped_at is not None:
        raise Stopped(STOPPED)
    return opened(row)


def for_looking(account_id: int, permission: str = "") -> Usable:
    """The one that withdraws, while there is one that goes, else one for the rest: to look at what only it may see.

    Raises: NotSent, Stopped as `for_rest`.
    """
    try:
        return for_withdrawals(account_id)
    except NotSent:
        return for_rest(account_id, permission)


def opened(row: Credential) -> Usable:
    """That row, ready to sign. Raises: NotSent if its exchange is not on the operator's list; SealBroken."""
    exchange = exchanges.exchange(row.exchange)
    if exchange is None:
        raise NotSent(NOT_LISTED)
    return Usable(
        url=exchange.url,
        public=row.public,
        keyed=keyed(unseal(row.sealed_secret, place=row.place).decode()),
        next_nonce=partial(nonces.take, row.pk),
        id=row.pk,
        account_id=row.account_id,
        purpose=row.purpose,
        has_window=row.nonce_window > 0,
        permissions=frozenset(row.permissions),
    )


@sensitive_variables("secret")
def keyed(secret: str) -> hmac.HMAC:
    """HMAC-SHA512 keyed with a secret as the exchange gives it. Raises: ValueError if it is no base64."""
    return hmac.new(b64decode(secret, validate=True), digestmod=sha512)


def _active(account_id: int) -> QuerySet[Credential]:
    return Credential.objects.filter(account=account_id, activated_at__isnull=False, removed_at=None)
