"""An Account of the cast that is an account at an exchange: as the portal has it once connecting was agreed to."""

from typing import Any

from django.utils import timezone

from accounts.models import Account, Organization
from portal.core.secrets.sealing import seal
from portal.venues.kraken.models import Connection, Credential, Purpose, place_of

NAME = "Real"


def real_account(organization: Organization, *, exchange: str = "Test", name: str = NAME) -> Account:
    """Connected now, without a credential yet."""
    now = timezone.now()
    account = Account.objects.create(organization=organization, name=name, venue="kraken", created_at=now)
    Connection.objects.create(account=account, exchange=exchange, connected_at=now)
    return account


def credential(account: Account, purpose: Purpose, key: tuple[str, str], **given: Any) -> Credential:
    """One that is active, with those two halves."""
    public, secret = key
    now = timezone.now()
    return Credential.objects.create(
        organization=account.organization,
        account=account,
        exchange=Connection.objects.get(account=account).exchange,
        purpose=purpose,
        label=f"{purpose.label} of {account.name}",
        public=public,
        sealed_secret=seal(secret.encode(), place=place_of(public)),
        proposed_at=now,
        activated_at=now,
        **given,
    )
