"""Adding the whole ledger up again."""

from collections.abc import Iterator

from django.db.models import F, Sum, Window

from portal.venues.paper.deposits.models import Deposit
from portal.venues.paper.earn import reconciliation as earn
from portal.venues.paper.models import Balance, Book, Entry, Posting, Withdrawal
from portal.venues.paper.orders import reconciliation as orders
from portal.venues.paper.ranks import reconciliation as ranks

Place = tuple[int, str]


def differences() -> Iterator[str]:
    """What does not agree, in words: nothing, unless somebody changed rows behind the portal's back."""
    for entry in Entry.objects.filter(sealed=False):
        yield f"Entry {entry.pk} ({entry}) was never sealed."
    for row in Posting.objects.values("entry", "asset").annotate(total=Sum("units")).exclude(total=0):
        yield f"Entry {row['entry']}: its legs in {row['asset']} sum to {row['total']}, not to zero."
    yield from _running_balances()
    yield from _standing_balances()
    yield from orders.differences()
    yield from earn.differences()
    yield from ranks.differences()
    yield from _deposits()


def _running_balances() -> Iterator[str]:
    """The balance that each leg on an Account says it left."""
    total = Window(Sum("units"), partition_by=[F("account"), F("asset")], order_by=F("pk").asc())
    for posting in Posting.objects.filter(book=Book.ACCOUNT).annotate(total=total).order_by("pk").iterator():
        if posting.balance_units != posting.total:
            yield f"{posting.ledger_id} says it left {posting.balance_units}; added up it is {posting.total}."


def _standing_balances() -> Iterator[str]:
    booked, held, ordered = _booked(), _held(), orders.held()
    kept = {(row.account_id, row.asset): row for row in Balance.objects.all()}
    for place in sorted({*booked, *held, *ordered, *kept}):
        row = kept.get(place, Balance())
        for name, stands, added in (
            ("balance", row.units, booked.get(place, 0)),
            ("held by withdrawals", row.held_by_withdrawals_units, held.get(place, 0)),
            ("held by orders", row.held_by_orders_units, ordered.get(place, 0)),
        ):
            if stands != added:
                yield f"Account {place[0]}, {place[1]}, {name}: {stands} stands there; added up it is {added}."


def _booked() -> dict[Place, int]:
    rows = Posting.objects.filter(book=Book.ACCOUNT).values("account", "asset").annotate(total=Sum("units"))
    return {(row["account"], row["asset"]): row["total"] for row in rows}


def _held() -> dict[Place, int]:
    rows = Withdrawal.objects.filter(sent_at=None, released_at=None).values("account", "asset")
    return {(row["account"], row["asset"]): row["total"] for row in rows.annotate(total=Sum("amount_units"))}


def _deposits() -> Iterator[str]:
    """Each deposit that has been booked moved its own amount to its own Account."""
    for deposit in Deposit.objects.filter(entry__isnull=False).select_related("entry").iterator():
        same = Posting.objects.filter(entry=deposit.entry, account=deposit.account_id, asset=deposit.asset)
        if not same.filter(units=deposit.amount_units).exists():
            yield f"Deposit {deposit} is not what its entry moved."
