"""The exchange that `make run` simulates: a second portal, in which the demo's Organization is a customer."""

import json
import os
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction

from accounts.api_keys import lifecycle
from accounts.models import ApiKey, Organization, User
from accounts.models.service_user import Permission
from accounts.organizations.founding import create_organization
from portal.core import call_origin
from portal.dashboard.demo import making, plan
from portal.venues.paper.funding import deposit

# As PORTAL_EXCHANGES of `make run` names it.
NAME: Final = "Simulated"
CUSTOMER: Final = "Demo Treasury Ltd"
# Nobody signs in there: only calls are made.
OWNER: Final = ("owner@exchange.test", "Demo Treasury Ltd")
MONEY: Final = (("BTC", "3.25"), ("ETH", "48"), ("USD", "150000"), ("USDC", "12000"))
ADDRESSES: Final = (
    ("btc-vault", "BTC", "Bitcoin", "bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh"),
    ("eth-vault", "ETH", "Ether (Hex)", "0x8617E340B3D01FA5F11F306F4090FD50E238070D"),
)
WITHDRAWING, REST = "portal-withdrawals", "portal-rest"
HERE: Final = ("127.0.0.1",)
# In nanoseconds, as a gateway counts its nonces: five seconds in which calls may overtake each other.
WINDOW: Final = 5_000_000_000
FOLDER: Final = "exchange"
FILE: Final = "credentials.json"


@dataclass(frozen=True, slots=True)
class Credential:
    """Both halves of one credential of that customer."""

    public: str
    secret: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a gateway is given: one credential that withdraws and does nothing else, and one for the rest."""

    withdrawing: Credential
    rest: Credential


@transaction.atomic
def build() -> bool:
    """Make the customer, with money, addresses and credentials, where there is none; False if it stood already.

    Nothing governs it: an exchange asks nobody.
    """
    if Organization.objects.filter(name=CUSTOMER).exists():
        return False
    email, name = OWNER
    with call_origin.origin(source="", via="demo"):
        user = User.objects.create_user(email, None, name=name)
        owner = create_organization(name=CUSTOMER, currency="USD", owner=user).members.get()
        account = owner.organization.accounts.get()
        for asset, amount in MONEY:
            deposit(account.pk, asset, Decimal(amount), reference=f"demo-{account.pk}-{asset}")
        for key, asset, method, address in ADDRESSES:
            making.address(owner, account, key=key, asset=asset, method=method, address=address)
        making.bot(owner, account, WITHDRAWING, (Permission.WITHDRAW.value,), sources=HERE)
        rest = (permission for permission in plan.EVERYTHING if permission != Permission.WITHDRAW)
        making.bot(owner, account, REST, rest, sources=HERE, nonce_window=WINDOW)
    return True


def write() -> Path:
    """Lay the credentials beside the exchange's database, for its owner alone; where."""
    path = Path(settings.VAR) / FILE
    found = Credentials(_credential(WITHDRAWING), _credential(REST))
    fresh = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(found), file, indent=2)
    fresh.replace(path)
    return path


def credentials() -> Credentials | None:
    """Those of the exchange beside this portal; None where `make run` has made none."""
    path = Path(settings.VAR) / FOLDER / FILE
    if not path.exists():
        return None
    found = json.loads(path.read_text())
    return Credentials(Credential(**found["withdrawing"]), Credential(**found["rest"]))


def _credential(name: str) -> Credential:
    key = ApiKey.objects.get(service_user__organization__name=CUSTOMER, service_user__name=name)
    return Credential(key.public, lifecycle.secret_of(key.sealed_secret, public=key.public))
