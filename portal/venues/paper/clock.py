"""Carrying out what has come due by the clock, before anything is said or done about an Account."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import heapify, heappop, heappush
from itertools import chain
from threading import local
from typing import TypeVar

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from portal.core.database.reading import Reading
from portal.jobs.isolated_loop import each
from portal.venues.journal import writing
from portal.venues.paper import due
from portal.venues.paper.deposits import arrival
from portal.venues.paper.deposits.models import Deposit
from portal.venues.paper.earn import payouts
from portal.venues.paper.earn.models import Holding
from portal.venues.paper.ledger import balances
from portal.venues.paper.ledger.models import Balance
from portal.venues.paper.orders import matching
from portal.venues.paper.orders.models import Order
from portal.venues.paper.prices import source
from portal.venues.types import Balance as BalanceRow
from portal.venues.types import Balances

T = TypeVar("T")

# Events that one call carries out at most: no bot waits long for what happened to its Account while nobody looked. The
# rest is left to `manage.py work` and the next calls, and everything is told as of there. A call that writes to the
# ledger carries out more, because what happened before is booked before.
SEEN = 20
EVENTS = 200


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """A deposit to be credited or a Holding's next event."""

    at: datetime
    is_holding: bool
    pk: int


class _Standing(local):
    """The Accounts for which no time passes in this thread."""

    accounts: frozenset[int] = frozenset()


_standing = _Standing()


def catch_up(account_id: int) -> None:
    """Bring one Account up to now, in a transaction of its own if it is not in one."""
    if account_id not in _standing.accounts and is_due(account_id):
        with transaction.atomic(), writing.together():
            locked(account_id, SEEN)


def catch_up_all(account_ids: Collection[int]) -> None:
    """See Following.catch_up. One statement when nothing is due."""
    now = timezone.now()
    orders, deposits, holdings = (
        rows.filter(account_id__in=account_ids).values_list("account_id", flat=True) for rows in _due(now)
    )
    each(
        sorted(orders.union(deposits, holdings)),
        lambda account_id: _settle_alone(account_id, EVENTS),
        what="settle what is due in an Account",
    )


@contextmanager
def still(account_id: int) -> Iterator[None]:
    """See Following.still. The balances are locked first; the journal's head says last that nothing moves."""
    with transaction.atomic():
        with writing.together():
            locked(account_id)
        # Whoever has no balances yet has no other lock; and what is under way elsewhere cannot be committed past this.
        writing.hold(account_id)
        before = _standing.accounts
        _standing.accounts = before | {account_id}
        try:
            yield
        finally:
            _standing.accounts = before


def reading_of_balances(account_id: int) -> Reading[Balances]:
    """See Books.reading_of_balances."""
    return balances.reading(account_id, source.path().key, datetime.now(UTC))


def balances_now(account_id: int) -> Sequence[BalanceRow]:
    """See Books.balances: one statement, and more only when something has come due."""
    rows, is_stale = reading_of_balances(account_id).look()
    if is_stale:
        catch_up(account_id)
        rows, _ = reading_of_balances(account_id).look()
    return list(rows)


def locked(account_id: int, limit: int = EVENTS) -> dict[str, Balance]:
    """Take the Account's lock, bring it up to now, and give its Balances by asset id."""
    return caught_up(account_id, lambda now: balances.standing(account_id, source.path().key, now), limit)


def caught_up(account_id: int, asked: Callable[[datetime], Reading[T]], limit: int = EVENTS) -> T:
    """Take the Account's lock, bring it up to now, and give what is read of it then.

    `asked` for a moment is stale if anything is due at it. It is asked again once that was carried out.
    """
    balances.lock_account(account_id)
    found, is_stale = asked(timezone.now()).look()
    if is_stale and _settle(account_id, limit):
        found, _ = asked(timezone.now()).look()
    return found


def is_due(account_id: int) -> bool:
    """Whether anything waits to be carried out for the Account."""
    return due.is_due(account_id, source.path().key, timezone.now())


def settle_due(limit: int) -> int:
    """See Venue.settle_due."""
    left = limit

    def settle(account_id: int) -> int:
        nonlocal left
        if left <= 0:
            return 0
        done = _settle_alone(account_id, left)
        left -= done
        return done

    return each(_accounts_due(limit), settle, what="settle what is due in an Account")


def _settle_alone(account_id: int, limit: int) -> int:
    with transaction.atomic(), writing.together():
        balances.lock_account(account_id)
        return _settle(account_id, limit)


def _settle(account_id: int, limit: int) -> int:
    """Everything in the order of its time, so that the ledger tells it in that order."""
    now = timezone.now()
    done = matching.renew(account_id, now, limit)
    events = list(_events(account_id, now, limit))
    heapify(events)
    while events and done < limit:
        event = heappop(events)
        done += matching.settle(account_id, event.at, limit - done)
        if done >= limit:
            return done
        following = _carry_out(event)
        done += 1
        if following is not None and following <= now:
            heappush(events, Event(following, event.is_holding, event.pk))
    return done + matching.settle(account_id, now, limit - done)


def _events(account_id: int, now: datetime, limit: int) -> Iterator[Event]:
    deposits = Deposit.objects.filter(_arrived(now), account_id=account_id).order_by("credit_at", "pk")
    for pk, at in deposits.values_list("pk", "credit_at")[:limit]:
        yield Event(at, is_holding=False, pk=pk)
    for pk, due_at in Holding.objects.filter(account_id=account_id, due_at__lte=now).values_list("pk", "due_at"):
        yield Event(due_at or now, is_holding=True, pk=pk)


def _carry_out(event: Event) -> datetime | None:
    if event.is_holding:
        return payouts.happen(event.pk)
    arrival.credit(event.pk)
    return None


def _arrived(now: datetime) -> Q:
    return Q(entry=None, credit_at__lte=now)


def _accounts_due(limit: int) -> list[int]:
    orders, deposits, holdings = _due(timezone.now())
    ordered = (orders.order_by("due_at"), deposits.order_by("credit_at"), holdings.order_by("due_at"))
    return list(dict.fromkeys(chain(*(rows.values_list("account_id", flat=True)[:limit] for rows in ordered))))


def _due(now: datetime) -> tuple[QuerySet[Order], QuerySet[Deposit], QuerySet[Holding]]:
    return (
        Order.objects.filter(matching.due(now)),
        Deposit.objects.filter(_arrived(now)),
        Holding.objects.filter(due_at__lte=now),
    )
