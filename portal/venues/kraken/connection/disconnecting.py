"""Disconnecting an Account from its exchange: the governed operation (DESIGN V2)."""

from django.utils import timezone

from policies.models import ChangeRequest
from policies.registry import Headline, Touched, always_protected, operation
from policies.rules import lock_protection
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.venues.kraken.connection import proposing, wording
from portal.venues.kraken.connection.connections import connected, counting, open_withdrawals
from portal.venues.kraken.connection.params import Disconnect
from portal.venues.kraken.models import Connection


def check_disconnection(*, actor: Actor, params: Disconnect, change: ChangeRequest) -> None:
    """Raises: NotFound; Conflict if it is disconnected by now."""
    connected(change, params.account_id, params.account)


def touched_disconnection(*, params: Disconnect, change: ChangeRequest) -> tuple[Touched, ...]:
    """Whether it is connected."""
    rows = Connection.objects.filter(account=params.account_id, account__organization=change.organization_id)
    now = "connected" if rows.filter(disconnected_at=None).exists() else "not connected"
    return (Touched(f"Account {params.account}", now, "not connected"),)


@operation(
    "kraken.disconnect",
    title="Disconnect an exchange account",
    workflow=Workflow.MANAGE_ACCESS,
    params=Disconnect,
    subject=lambda params: f"connection:{params.account_id}",
    headline=lambda params: Headline(f"Disconnect {params.account} from its exchange"),
    describe=wording.disconnection,
    opened=check_disconnection,
    protection=lock_protection.DISCONNECT,
    protected=always_protected,
    touches=touched_disconnection,
    shifts_power=False,
)
def disconnect(*, actor: Actor, params: Disconnect, change: ChangeRequest) -> None:
    """Forget every secret of the Account. It stays, with its history, and may be connected again.

    Raises: as `check_disconnection`.
    """
    found = connected(change, params.account_id, params.account)
    left = open_withdrawals(params.account_id)
    credentials = proposing.retire(counting(params.account_id))
    found.disconnected_at = timezone.now()
    found.save(update_fields=["disconnected_at"])
    record(
        EventKind.ACCOUNT_DISCONNECTED,
        actor=actor,
        subject=found.account,
        organization_id=change.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        change=change.reference,
        exchange=found.exchange,
        credentials=credentials,
        withdrawals_held=left.held,
        withdrawals_under_way=left.under_way,
        withdrawals_unknown=left.unknown,
    )
