"""From what was typed to the request: tried at the exchange first, then sealed and asked for in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction

from accounts.models import Account, Member
from policies.changes import propose
from policies.models import ChangeRequest
from portal.core.errors import Invalid
from portal.venues.kraken import exchanges
from portal.venues.kraken.connection import catalogue, proposing, trial
from portal.venues.kraken.connection.connecting import NOT_LISTED, connect
from portal.venues.kraken.connection.params import Connect
from portal.venues.kraken.connection.trial import Typed
from portal.venues.kraken.exchanges import Exchange
from portal.venues.kraken.models import Credential, Tier


@dataclass(frozen=True, slots=True)
class NewConnection:
    """What is typed to connect an Account: a new one of that name, or one that was disconnected."""

    exchange: str
    name: str
    tier: Tier
    credentials: Sequence[Typed] = field(repr=False)
    account: Account | None = None


def ask_to_connect(member: Member, typed: NewConnection, *, note: str = "") -> ChangeRequest:
    """Try every credential, then ask for the connection. Not within a transaction: the exchange is called.

    Raises: Invalid beside the field that is wrong; Unavailable while the exchange says nothing; as `propose`.
    """
    exchange = _listed(typed.exchange)
    owner = known_owner(typed.account.pk) if typed.account else ""
    tried = trial.try_all(exchange, typed.credentials, owner=owner)
    catalogue.learn(exchange)
    with transaction.atomic():
        params = Connect(
            exchange=exchange.name,
            name=typed.name,
            tier=typed.tier,
            credentials=proposing.keep(member.organization_id, exchange, tried),
            account_id=typed.account.pk if typed.account else None,
        )
        return propose(connect, actor=member, params=params, note=note)


def known_owner(account_id: int) -> str:
    """The account at the exchange that an Account of ours is or was; empty if that was never said."""
    rows = Credential.objects.filter(account=account_id).exclude(owner="").order_by("-pk")
    return rows.values_list("owner", flat=True).first() or ""


def _listed(name: str) -> Exchange:
    found = exchanges.exchange(name)
    if found is None:
        raise Invalid(NOT_LISTED, field="exchange")
    return found
