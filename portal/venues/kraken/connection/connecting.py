"""Connecting an Account to an exchange: the governed operation (DESIGN V2)."""

from django.utils import timezone

from accounts.models import Account
from accounts.organizations.settings import AddAccount, check_account
from policies.models import ChangeRequest
from policies.registry import Headline, Touched, always_protected, operation
from policies.rules import lock_protection
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.errors import Conflict, Invalid, NotFound
from portal.venues.kraken import exchanges
from portal.venues.kraken.connection import proposing, refusals, wording
from portal.venues.kraken.connection.connections import NO_ACCOUNT, known_owner
from portal.venues.kraken.connection.params import Connect, Proposed
from portal.venues.kraken.models import Connection, Credential, Purpose

VENUE = "kraken"
NOT_LISTED = "The operator names no exchange of that name. Choose one of the list."
NO_REST = "Give at least one key for everything else: balances, orders and movements are read with it."
ONE_WITHDRAWING = "An Account has one key for withdrawals at most."
OTHER_OWNER = (
    "These keys belong to another account at the exchange than this Account had. Its history would be mixed up: "
    "connect another Account with them."
)


def check_connection(*, actor: Actor, params: Connect, change: ChangeRequest) -> None:
    """Take hold of the credentials. Raises: Invalid beside what cannot be; Conflict; NotFound for no such Account."""
    _check_account(actor, params, change)
    _check_credentials(params.credentials)
    proposing.take(change, params.credentials, params.exchange)
    _check_rows(params, change)


def _check_account(actor: Actor, params: Connect, change: ChangeRequest) -> Account | None:
    """The Account that is connected again; None for a new one, whose name is free."""
    if exchanges.exchange(params.exchange) is None:
        raise Invalid(NOT_LISTED, field="exchange")
    if params.account_id is None:
        check_account(actor=actor, params=AddAccount(params.name, VENUE), change=change)
        return None
    known = Connection.objects.select_related("account").select_for_update(no_key=True, of=("self",))
    found = known.filter(account=params.account_id, account__organization=change.organization_id).first()
    if found is None or found.account.name != params.name:
        raise NotFound(NO_ACCOUNT)
    if found.disconnected_at is None:
        raise Conflict("This Account is connected already.")
    if found.exchange != params.exchange:
        raise Invalid(f"This Account is one at {found.exchange}, and stays one there.", field="exchange")
    return found.account


def _check_credentials(credentials: tuple[Proposed, ...]) -> None:
    purposes = [each.purpose for each in credentials]
    if Purpose.REST not in purposes:
        raise Invalid(NO_REST, field="rest_public")
    if purposes.count(Purpose.WITHDRAW) > 1:
        raise Invalid(ONE_WITHDRAWING, field="withdraw_public")


def _check_rows(params: Connect, change: ChangeRequest) -> list[Credential]:
    rows = proposing.check(change, params.credentials, params.exchange)
    if not any("query-funds" in row.permissions for row in rows if row.purpose == Purpose.REST):
        raise Invalid(refusals.READS_NO_BALANCE, field="rest_public")
    if params.account_id is not None:
        owner = known_owner(params.account_id)
        if owner and any(row.owner and row.owner != owner for row in rows):
            raise Invalid(OTHER_OWNER, field="rest_public")
    return rows


def touched_connection(*, params: Connect, change: ChangeRequest) -> tuple[Touched, ...]:
    """Whether such an Account is there, and connected."""
    there = Account.objects.filter(organization_id=change.organization_id, name__iexact=params.name)
    open_ones = Connection.objects.filter(account__in=there, disconnected_at=None)
    now = "connected" if open_ones.exists() else "not connected" if there.exists() else "none"
    return (Touched(f"Account {params.name}", now, "connected"),)


@operation(
    "kraken.connect",
    title="Connect an exchange account",
    workflow=Workflow.MANAGE_ACCESS,
    params=Connect,
    subject=lambda params: f"account:{params.name.lower()}",
    headline=lambda params: Headline(f"Connect {params.name} to {params.exchange}"),
    describe=wording.connection,
    opened=check_connection,
    ended=proposing.wipe,
    protection=lock_protection.CONNECT,
    protected=always_protected,
    touches=touched_connection,
)
def connect(*, actor: Actor, params: Connect, change: ChangeRequest) -> Account:
    """Make the Account, or take the one that was disconnected, and let its credentials count.

    Raises: as `check_connection`; Conflict if a credential was connected elsewhere meanwhile.
    """
    account = _check_account(actor, params, change)
    _check_credentials(params.credentials)
    rows = _check_rows(params, change)
    now = timezone.now()
    if account is None:
        account = Account.objects.create(
            organization_id=change.organization_id, name=params.name, venue=VENUE, created_at=now
        )
        record(
            EventKind.ACCOUNT_ADDED,
            actor=actor,
            subject=account,
            organization_id=change.organization_id,
            workflow=Workflow.MANAGE_ACCESS,
            change=change.reference,
            venue=VENUE,
        )
    Connection.objects.update_or_create(
        account=account,
        defaults={"exchange": params.exchange, "tier": params.tier, "connected_at": now, "disconnected_at": None},
    )
    proposing.activate(account, rows)
    record(
        EventKind.ACCOUNT_CONNECTED,
        actor=actor,
        subject=account,
        organization_id=change.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        change=change.reference,
        exchange=params.exchange,
        credentials=[f"{row.short} ({row.get_purpose_display()})" for row in rows],
    )
    return account
