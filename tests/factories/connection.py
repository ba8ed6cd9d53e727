"""Accounts at an exchange without the exchange: credentials as they lie here once they were tried."""

from base64 import b64encode
from typing import Any, Final

from django.utils import timezone

from accounts.models import Account, Organization
from portal.core.secrets.sealing import seal, token
from portal.venues.kraken.connection.params import Connect, Proposed
from portal.venues.kraken.models import Connection, Credential, Purpose, Tier

EXCHANGE: Final = "Kraken"
SECRET: Final = b64encode(b"secret of an exchange's credential".ljust(64, b"-")).decode()
PERMISSIONS: Final = {
    Purpose.WITHDRAW: ["query-funds", "withdraw-funds"],
    Purpose.REST: ["query-funds", "query-ledger", "query-open-trades", "query-closed-trades", "modify-trades"],
}


def credential(organization: Organization, purpose: Purpose, **given: Any) -> Credential:
    """One that was typed and tried, for no Account yet."""
    now, public = timezone.now(), token(40)
    row = Credential(
        organization=organization,
        exchange=EXCHANGE,
        purpose=purpose,
        label=purpose.label,
        public=public,
        permissions=PERMISSIONS[purpose],
        ip_allowlist=["192.0.2.10"],
        owner="AA88 N84G WOAK NMOI",
        looked_at=now,
        proposed_at=now,
    )
    for name, value in given.items():
        setattr(row, name, value)
    row.sealed_secret = seal(SECRET.encode(), place=row.place)
    row.save()
    return row


def proposed(row: Credential) -> Proposed:
    """How a request names it."""
    return Proposed(row.pk, row.public, Purpose(row.purpose))


def wanted(organization: Organization, name: str) -> Connect:
    """To connect an Account of that name, with a credential for withdrawals and one for the rest."""
    rows = [credential(organization, purpose) for purpose in Purpose]
    return Connect(EXCHANGE, name, Tier.INTERMEDIATE, tuple(map(proposed, rows)))


def connected(account: Account) -> Connection:
    """The Account, whatever its venue, as one at the exchange with a credential for either purpose."""
    now = timezone.now()
    for purpose in Purpose:
        credential(account.organization, purpose, account=account, activated_at=now)
    return Connection.objects.create(account=account, exchange=EXCHANGE, connected_at=now)
