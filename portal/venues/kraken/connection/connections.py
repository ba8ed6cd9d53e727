"""An Account that is connected, as requests about it find it: under lock, and with what is open there."""

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from policies.models import ChangeRequest
from portal.core.database.one_reading import once
from portal.core.errors import Conflict, NotFound
from portal.venues.kraken.connection import proposing
from portal.venues.kraken.models import Connection, Credential, Step, Withdrawal

NO_ACCOUNT = "There is no such Account in this Organization."
DISCONNECTED = "This Account is not connected any more."


@dataclass(frozen=True, slots=True)
class OpenWithdrawals:
    """How many withdrawals of an Account wait for people, are on their way to the exchange, or unknown to everybody."""

    held: int
    under_way: int
    unknown: int


def connected(change: ChangeRequest, account_id: int, name: str) -> Connection:
    """The connection of an Account of that name, locked. Raises: NotFound; Conflict if it is disconnected by now."""
    rows = Connection.objects.select_related("account").select_for_update(no_key=True, of=("self",))
    found = rows.filter(account=account_id, account__organization=change.organization_id).first()
    if found is None or found.account.name != name:
        raise NotFound(NO_ACCOUNT)
    if found.disconnected_at is not None:
        raise Conflict(DISCONNECTED)
    return found


def counting(account_id: int) -> QuerySet[Credential]:
    """The credentials that count for an Account."""
    return proposing.active().filter(account=account_id)


def known_owner(account_id: int) -> str:
    """The account at the exchange that an Account of ours is or was; empty if that was never said."""
    rows = Credential.objects.filter(account=account_id).exclude(owner="").order_by("-pk")
    return rows.values_list("owner", flat=True).first() or ""


def open_withdrawals(account_id: int) -> OpenWithdrawals:
    """What would be left behind by a disconnection; a page that shows it twice reads it once."""
    return once(("open withdrawals at the exchange", account_id), lambda: _open_withdrawals(account_id))


def _open_withdrawals(account_id: int) -> OpenWithdrawals:
    under_way = Q(step__in=[Step.INTENDED, Step.SENDING, Step.LOST])
    found = Withdrawal.objects.filter(account=account_id).aggregate(
        held=Count("pk", filter=Q(step=Step.HELD)),
        under_way=Count("pk", filter=under_way),
        unknown=Count("pk", filter=Q(step=Step.UNKNOWN)),
    )
    return OpenWithdrawals(**found)
