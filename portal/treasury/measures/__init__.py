"""What rules have to know of withdrawals: their values, sums, and how long an address has been known (DESIGN P7).

The rooms: `values` (what an amount is worth), `sums` (what left and what is held), `ages` (of destinations), `many`
(all that a list shows), `past` (what was asked before), `lists` (what a rule can name).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from django.utils import timezone

from accounts.models import Account
from policies.measures import Foreseen, Named, Past
from policies.rules.language import Situation, SumOf
from portal.core.errors import NotFound
from portal.treasury.destinations.identity import identity
from portal.treasury.measures import lists, many, past
from portal.treasury.measures.ages import age_hours
from portal.treasury.measures.initiators import initiator_of
from portal.treasury.measures.sums import Counted, sums_of
from portal.treasury.measures.values import value_of
from portal.venues.registry import venue

if TYPE_CHECKING:
    from accounts.models import Organization
    from policies.models import ChangeRequest
    from portal.treasury.operations.params import Withdraw


class TreasuryMeasures:
    """Fulfils `policies.measures.Measures`."""

    def situation(self, change: "ChangeRequest", params: object, sums: Collection[SumOf]) -> Situation:
        """By the withdrawal's params; its own row, where it has one by now, is counted in once.

        Raises: NotFound if its Account is gone.
        """
        # The one operation that is measured takes these.
        asked = cast("Withdraw", params)
        return _situation(
            change.organization,
            account_id=asked.account_id,
            asset=asked.asset,
            amount=asked.amount,
            destination=identity(asked.network, asked.address, asked.memo),
            initiator=initiator_of(change),
            sums=sums,
            change_id=change.pk or 0,
        )

    def situations(
        self,
        organization: "Organization",
        asked: "Sequence[tuple[ChangeRequest, object]]",
        sums: Collection[SumOf],
        *,
        with_ages: bool,
    ) -> Mapping[int, Situation]:
        """By as many statements however many they are."""
        return many.situations(organization, asked, sums, with_ages=with_ages)

    def foreseen(self, organization: "Organization", what: Foreseen, sums: Collection[SumOf]) -> Situation:
        """The same of one that nobody has asked for. Raises: NotFound for an Account or asset that there is not."""
        return _situation(
            organization,
            account_id=what.account_id,
            asset=what.asset,
            amount=what.amount,
            destination=what.destination,
            initiator=what.initiator,
            sums=sums,
        )

    def past(self, organization: "Organization", since: datetime) -> Iterator[Past]:
        """Some thousand at a time, along an index."""
        return past.past(organization, since)

    def assets(self, organization: "Organization") -> tuple[Named, ...]:
        """By what their venues say leaves."""
        return lists.assets(organization)

    def destinations(self, organization: "Organization") -> tuple[Named, ...]:
        """At most a thousand."""
        return lists.destinations(organization)

    def is_priced(self, organization: "Organization") -> bool:
        """By the first Account at each venue."""
        return lists.is_priced(organization)


def _situation(
    organization: "Organization",
    *,
    account_id: int,
    asset: str,
    amount: Decimal,
    destination: str,
    initiator: str,
    sums: Collection[SumOf],
    change_id: int = 0,
) -> Situation:
    account = Account.objects.filter(organization=organization, pk=account_id).first()
    if account is None:
        raise NotFound("There is no such Account in this Organization.")
    exchange = venue(account.venue)
    asset_id = exchange.asset(asset).id
    value = value_of(exchange, account_id, asset_id, amount, organization.currency)
    counted = Counted(
        organization_id=organization.pk,
        currency=organization.currency,
        account_id=account_id,
        asset=asset_id,
        destination=destination,
        initiator=initiator,
        value=value,
        change_id=change_id,
    )
    return Situation(
        value=value,
        sums=sums_of(counted, sums),
        asset=asset_id,
        account=str(account_id),
        destination=destination,
        age_hours=age_hours(account_id, destination, timezone.now()),
        initiator=initiator,
    )
