"""Carrying out what has come due by the clock, before anything is said or done about an Account."""

from django.db import transaction
from django.utils import timezone

from portal.venues.paper.ledger import balances
from portal.venues.paper.ledger.models import Balance
from portal.venues.paper.orders import settling
from portal.venues.paper.orders.models import Order
from portal.venues.paper.prices import source
from portal.venues.types import Balance as BalanceRow

# Events that one call carries out at most. The rest waits for the next one, and everything is told as of there.
EVENTS = 200


def catch_up(account_id: int) -> None:
    """Bring one Account up to now, in a transaction of its own if it is not in one."""
    if is_due(account_id):
        with transaction.atomic():
            locked(account_id)


def balances_now(account_id: int) -> list[BalanceRow]:
    """See Books.balances: one statement, and more only when something has come due."""
    rows, is_behind = balances.balances(account_id, source.path().key, timezone.now())
    if is_behind:
        catch_up(account_id)
        rows, _ = balances.balances(account_id, source.path().key, timezone.now())
    return rows


def locked(account_id: int) -> dict[str, Balance]:
    """Take the Account's lock, bring it up to now, and give its Balances by asset id."""
    found = balances.lock_account(account_id)
    if _settle(account_id, EVENTS):
        found = balances.lock_account(account_id)
    return found


def is_due(account_id: int) -> bool:
    """Whether anything waits to be carried out for the Account."""
    return Order.objects.filter(settling.due(timezone.now()), account_id=account_id).exists()


def settle_due(limit: int) -> int:
    """See Venue.settle_due."""
    done = 0
    for account_id in _accounts_due(limit):
        if done >= limit:
            break
        with transaction.atomic():
            balances.lock_account(account_id)
            done += _settle(account_id, limit - done)
    return done


def _settle(account_id: int, limit: int) -> int:
    return settling.settle(account_id, timezone.now(), limit)


def _accounts_due(limit: int) -> list[int]:
    orders = Order.objects.filter(settling.due(timezone.now())).order_by("due_at")
    return list(dict.fromkeys(orders.values_list("account_id", flat=True)[:limit]))
