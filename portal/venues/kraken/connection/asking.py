"""From what was typed to the request: tried at the exchange first, then sealed and asked for in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import transaction

from accounts.authentication import throttle
from accounts.models import Account, Member
from accounts.models.service_user import Permission
from policies.changes import propose
from policies.models import ChangeRequest
from portal.core.errors import Invalid, TooMany, Unavailable
from portal.venues.kraken import exchanges
from portal.venues.kraken.calling import ask
from portal.venues.kraken.connection import proposing, refusals, trial
from portal.venues.kraken.connection.connecting import NOT_LISTED, connect
from portal.venues.kraken.connection.connections import known_owner
from portal.venues.kraken.connection.disconnecting import disconnect
from portal.venues.kraken.connection.params import AddCredential, Connect, Disconnect
from portal.venues.kraken.connection.replacing import add_credential
from portal.venues.kraken.connection.trial import Typed
from portal.venues.kraken.credentials.finding import for_rest
from portal.venues.kraken.exchanges import Exchange
from portal.venues.kraken.models import Connection, Credential, Snapshot, Tier
from portal.venues.kraken.reading import catalogue

# Of looking for open orders: somebody waits for the page.
SECONDS: Final = 5.0


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

    Raises: Invalid beside the field that is wrong; Unavailable while the exchange says nothing; TooMany after ten
    trials in a quarter of an hour; as `propose`.
    """
    exchange = _listed(typed.exchange)
    owner = known_owner(typed.account.pk) if typed.account else ""
    count_trial(member)
    tried = trial.try_all(exchange, typed.credentials, owner=owner)
    _learn_catalogue(exchange)
    with transaction.atomic():
        params = Connect(
            exchange=exchange.name,
            name=typed.name,
            tier=typed.tier,
            credentials=proposing.keep(member.organization_id, exchange, tried),
            account_id=typed.account.pk if typed.account else None,
        )
        return propose(connect, actor=member, params=params, note=note)


def ask_to_add(
    member: Member, connection: Connection, typed: Typed, *, replaces: Credential | None = None, note: str = ""
) -> ChangeRequest:
    """Try it, then ask that it counts for the Account as well, or in place of `replaces`.

    Raises: as `ask_to_connect`.
    """
    exchange = _listed(connection.exchange)
    count_trial(member)
    tried = trial.try_all(exchange, [typed], owner=known_owner(connection.account_id))
    with transaction.atomic():
        [proposed] = proposing.keep(member.organization_id, exchange, tried)
        params = AddCredential(
            account_id=connection.account_id,
            account=connection.account.name,
            credential=proposed,
            replaces=replaces.pk if replaces else None,
            replaced_public=replaces.public if replaces else "",
        )
        return propose(add_credential, actor=member, params=params, note=note)


def ask_to_disconnect(member: Member, connection: Connection, *, orders: int | None, note: str = "") -> ChangeRequest:
    """Ask that nothing of the Account is spoken for any more; `orders` as `open_orders` told. Raises: as `propose`."""
    params = Disconnect(account_id=connection.account_id, account=connection.account.name, open_orders=orders)
    return propose(disconnect, actor=member, params=params, note=note)


def open_orders(account_id: int) -> int | None:
    """How many orders are open at the exchange now; None if it does not say."""
    try:
        answer = ask(for_rest(account_id, Permission.QUERY_OPEN), "OpenOrders", seconds=SECONDS, patience=SECONDS)
        told = None if answer.errors else answer.decoded()
    except Unavailable:
        return None
    orders = told.get("open") if isinstance(told, Mapping) else None
    return len(orders) if isinstance(orders, Mapping) else None


def count_trial(member: Member) -> None:
    """Count one more trial of keys by that member. Raises: TooMany if there were as many as may be."""
    if not throttle.may_try_exchange(member.pk):
        raise TooMany(refusals.TOO_MANY_TRIALS)


def _learn_catalogue(exchange: Exchange) -> None:
    """Know what is traded there, or nothing of the Account could be read. Raises: Unavailable."""
    if catalogue.refresh_all(exchange.name):
        return
    kept = Snapshot.objects.filter(account=None, exchange=exchange.name, part__in=catalogue.METHODS)
    if kept.exclude(answer="").count() < len(catalogue.METHODS):
        raise Unavailable(refusals.NO_CATALOGUE)


def _listed(name: str) -> Exchange:
    found = exchanges.exchange(name)
    if found is None:
        raise Invalid(NOT_LISTED, field="exchange")
    return found
