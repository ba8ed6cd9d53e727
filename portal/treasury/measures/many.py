"""The requests of a list as rules see them, with all their sums, by a constant number of statements (DESIGN P7)."""

from collections import Counter
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from django.db import connection
from django.utils import timezone

from accounts.models import Account
from policies.rules.language import Scope, Situation, SumOf, Window
from portal.treasury.destinations.identity import identity
from portal.treasury.measures.ages import ages_of
from portal.treasury.measures.sums import COUNTED, HELD, SCOPES, TOTALS, WINDOWS, bounds, total
from portal.treasury.measures.values import PricesNow, in_currency
from portal.treasury.models import Withdrawal

if TYPE_CHECKING:
    from accounts.models import Organization
    from policies.models import ChangeRequest
    from portal.treasury.operations.params import Withdraw

# Asset, Account, destination, initiator, how far back, and whether its value was ever known.
Alike: TypeAlias = tuple[str, int, str, str, int, bool]

STATEMENT: Final = f"""
    SELECT asset, account_id, destination, initiator, reach, value IS NOT NULL, {TOTALS}
    FROM ({COUNTED}) AS counted
    GROUP BY 1, 2, 3, 4, 5, 6
"""  # noqa: S608  (whole numbers of ours)


def situations(
    organization: "Organization", asked: "Sequence[tuple[ChangeRequest, object]]", sums: Collection[SumOf]
) -> dict[int, Situation]:
    """Each of `asked`, requests that have their rows, with their params; by primary key of the request."""
    measured = [(change, cast("Withdraw", params)) for change, params in asked]
    own = {row.change_id: row for row in Withdrawal.objects.filter(change__in=[change.pk for change, _ in measured])}
    venues = dict(Account.objects.filter(organization=organization).values_list("pk", "venue"))
    there = _There(_counted(organization, sums), sums, PricesNow(organization.currency, venues))
    places = {(params.account_id, _leads_to(params)) for _, params in measured}
    ages = ages_of(places, timezone.now())
    return {
        change.pk: there.situation(change, own[change.pk], ages[params.account_id, _leads_to(params)])
        for change, params in measured
        if change.pk in own
    }


def _leads_to(params: "Withdraw") -> str:
    return identity(params.network, params.address, params.memo)


class _There:
    """All that counts, for one request after the other."""

    def __init__(self, counted: Counter[Alike], sums: Collection[SumOf], prices: PricesNow) -> None:
        self.counted, self.sums, self.prices = counted, sums, prices

    def situation(self, change: "ChangeRequest", own: Withdrawal, age_hours: float) -> Situation:
        """Of the request that has `own` on hold, which the sums count as what it is worth now."""
        value = self.prices.value_of(own.account_id, own.asset, own.amount_units)
        return Situation(
            value=value,
            sums={each: value + self._before(each, change, own) for each in self.sums},
            asset=own.asset,
            account=str(own.account_id),
            destination=own.destination,
            age_hours=age_hours,
            initiator=own.initiator,
        )

    def _before(self, each: SumOf, change: "ChangeRequest", own: Withdrawal) -> Decimal:
        reach = 1 + WINDOWS.index(each.window)
        itself = _itself(change, own)
        worth = (
            self._worth(alike, counted - itself.get(alike, 0))
            for alike, counted in self.counted.items()
            if alike[4] <= reach and _is_equal(alike, own, each.scope)
        )
        return sum(worth, Decimal(0))

    def _worth(self, alike: Alike, counted: int) -> Decimal:
        asset, account_id, *_, is_known = alike
        if is_known or not counted:
            return in_currency(counted)
        return self.prices.value_of(account_id, asset, counted)


def _itself(change: "ChangeRequest", own: Withdrawal) -> dict[Alike, int]:
    """What of `_counted` is this request's own, which does while it is held."""
    if own.sent_at is not None or own.released_at is not None or change.is_past_its_time:
        return {}
    known = own.value_hundredths is not None
    alike = (own.asset, own.account_id, own.destination, own.initiator, HELD, known)
    return {alike: own.amount_units if own.value_hundredths is None else own.value_hundredths}


def _is_equal(alike: Alike, own: Withdrawal, scope: Collection[Scope]) -> bool:
    """Whether they are equal in every member of `scope`; what an older node wrote is taken to be."""
    asset, account_id, destination, initiator, *_ = alike
    shared = (
        asset == own.asset,
        account_id == own.account_id,
        destination in (own.destination, ""),
        initiator in (own.initiator, ""),
    )
    return all(is_same for each, is_same in zip(SCOPES, shared, strict=True) if each in scope)


def _counted(organization: "Organization", sums: Collection[SumOf]) -> Counter[Alike]:
    """All that counts, by what it is alike in: hundredths of the currency, or units where those were never known."""
    longest = max((each.window.length for each in sums), default=Window.HOUR.length)
    with connection.cursor() as cursor:
        cursor.execute(STATEMENT, bounds(organization.pk, longest))
        rows = cursor.fetchall()
    return Counter(
        {
            (asset, account_id, destination, initiator, reach, bool(known)): total(*(parts[:2] if known else parts[2:]))
            for asset, account_id, destination, initiator, reach, known, *parts in rows
        }
    )
