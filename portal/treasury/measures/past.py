"""What was asked before, as rules saw it then but for its sums: for trying other rules out on it."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from django.db.models import Q

from accounts.models import Account
from policies.measures import Past
from policies.rules.language import Situation
from portal.treasury.destinations.identity import identity
from portal.treasury.measures.ages import Stay, hours_in_book
from portal.treasury.measures.values import PricesNow, in_currency
from portal.treasury.models import Address, Withdrawal

if TYPE_CHECKING:
    from accounts.models import Organization

AT_A_TIME: Final = 2000
FIELDS: Final = (
    "pk", "created_at", "change_id", "account_id", "asset", "amount_units", "value_hundredths", "destination",
    "initiator", "sent_at", "released_at",
)  # fmt: skip


def past(organization: "Organization", since: datetime) -> Iterator[Past]:
    """See Measures.past. One that was never valued counts at what its asset is worth now."""
    reader = _Reader(organization)
    for row in _rows(organization, since):
        yield reader.read(row)


def _rows(organization: "Organization", since: datetime) -> Iterator[Withdrawal]:
    asked = Withdrawal.objects.filter(organization=organization).order_by("created_at", "pk").only(*FIELDS)
    after = Q(created_at__gte=since)
    while rows := list(asked.filter(after)[:AT_A_TIME]):
        yield from rows
        last = rows[-1]
        # The first condition is what the index goes by.
        after = Q(created_at__gte=last.created_at) & (Q(created_at__gt=last.created_at) | Q(pk__gt=last.pk))


class _Reader:
    """Reads the books and the Accounts once."""

    def __init__(self, organization: "Organization") -> None:
        accounts = Account.objects.filter(organization=organization)
        self.prices = PricesNow(organization.currency, dict(accounts.values_list("pk", "venue")))
        self.stays: dict[tuple[int, str], list[Stay]] = defaultdict(list)
        book = Address.objects.filter(organization=organization).order_by("pk")
        fields = ("account_id", "network", "address", "memo", "added_at", "removed_at")
        for account_id, network, address, memo, added_at, removed_at in book.values_list(*fields).iterator(AT_A_TIME):
            self.stays[account_id, identity(network, address, memo)].append((added_at, removed_at))

    def read(self, row: Withdrawal) -> Past:
        """As rules would have seen it when it was asked."""
        stays = self.stays.get((row.account_id, row.destination), ())
        situation = Situation(
            value=self._value_of(row),
            asset=row.asset,
            account=str(row.account_id),
            destination=row.destination,
            age_hours=hours_in_book(stays, row.created_at),
            initiator=row.initiator,
        )
        return Past(row.change_id, row.created_at, situation, sent_at=row.sent_at, released_at=row.released_at)

    def _value_of(self, row: Withdrawal) -> Decimal:
        if row.value_hundredths is not None:
            return in_currency(row.value_hundredths)
        return self.prices.value_of(row.account_id, row.asset, row.amount_units)
