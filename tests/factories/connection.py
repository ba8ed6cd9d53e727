"""Accounts at an exchange without the exchange: credentials as they lie here once they were tried."""

from base64 import b64encode
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone

from accounts.models import Account, Organization
from portal.core.secrets.sealing import seal, token
from portal.venues.kraken.connection import proposing
from portal.venues.kraken.connection.params import Connect, Proposed
from portal.venues.kraken.models import Connection, Credential, Look, Purpose, Step, Tier, Withdrawal

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
    return proposing.named(row)


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


def unknown_withdrawal(account: Account) -> Withdrawal:
    """One that was sent from a connected Account a day ago, and of which nobody knows."""
    at = timezone.now() - timedelta(days=1)
    row = Withdrawal.objects.create(
        account=account,
        reference=f"LOST-{account.pk}",
        asset="XXBT",
        decimals=10,
        amount_units=5_000_000_000,
        max_fee_units=2_000_000,
        fee_units=2_000_000,
        key="btc-cold",
        address="bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        method="Bitcoin",
        network="Bitcoin",
        held_at=at,
        intended_at=at,
        step=Step.UNKNOWN,
        credential=Credential.objects.get(account=account, purpose=Purpose.WITHDRAW, removed_at=None),
        nonce=1,
        sent_at=at,
        attempts=1,
        lost_at=at,
    )
    listed = {"refid": "THEIRS", "asset": "XXBT", "amount": "0.5", "fee": "0", "time": "1700000000", "key": "btc-cold"}
    Look.objects.create(withdrawal=row, at=at, nonce=2, listed=[listed], found=[])
    Look.objects.create(withdrawal=row, at=at, trouble="The exchange cannot be reached.")
    return row
