"""The requests of a list as rules see them, with all their sums, by a constant number of statements (DESIGN P7)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from django.db import connection
from django.utils import timezone

from accounts.models import Account
from policies.rules.language import Scope, Situation, SumOf, Window
from portal.treasury.destinations.identity import identity
from portal.treasury.measures.ages import ages_of
from portal.treasury.measures.initiators import initiator_of
from portal.treasury.measures.sums import SCOPES, TOTALS, WINDOWS, bounds, counted_rows, total
from portal.treasury.measures.values import PricesNow, in_currency

if TYPE_CHECKING:
    from accounts.models import Organization
    from policies.models import ChangeRequest
    from portal.treasury.operations.params import Withdraw

# Asset, Account, destination, initiator, how far back, whether its value was ever known, and which of those asked of.
Alike: TypeAlias = tuple[str, int, str, str, int, bool, int | None]

STATEMENT: Final = f"""
    SELECT asset, account_id, destination, initiator, reach, value IS NOT NULL,
        CASE WHEN change_id IN ({{asked}}) THEN change_id END, {TOTALS}
    FROM ({counted_rows("change_id")}) AS counted
    GROUP BY 1, 2, 3, 4, 5, 6, 7
"""  # noqa: S608  (whole numbers of ours)


def situations(
    organization: "Organization",
    asked: "Sequence[tuple[ChangeRequest, object]]",
    sums: Collection[SumOf],
    *,
    with_ages: bool,
) -> dict[int, Situation]:
    """Each of `asked`, requests with their Accounts, with their params; by primary key of the request.

    One statement; one more `with_ages`, and where earlier ones have no value of their own.
    """
    measured = [(change, cast("Withdraw", params)) for change, params in asked]
    counted = _counted(organization, [change.pk for change, _ in measured], sums)
    there = _There(counted, sums, PricesNow(organization.currency, _venues(organization, measured, counted)))
    places = {(params.account_id, _leads_to(params)) for _, params in measured}
    ages = ages_of(places, timezone.now()) if with_ages else {}
    return {
        change.pk: there.situation(change, params, ages.get((params.account_id, _leads_to(params)), 0.0))
        for change, params in measured
    }


def _leads_to(params: "Withdraw") -> str:
    return identity(params.network, params.address, params.memo)


def _venues(
    organization: "Organization", measured: "Sequence[tuple[ChangeRequest, Withdraw]]", counted: Collection[Alike]
) -> dict[int, str]:
    """Those of the Accounts that prices are asked for: mostly those that are shown."""
    shown = {change.account.pk: change.account.venue for change, _ in measured if change.account is not None}
    if {alike[1] for alike in counted if not alike[5]} <= shown.keys():
        return shown
    return dict(Account.objects.filter(organization=organization).values_list("pk", "venue"))


class _There:
    """All that counts, for one request after the other."""

    def __init__(self, counted: Mapping[Alike, int], sums: Collection[SumOf], prices: PricesNow) -> None:
        self.counted, self.sums, self.prices = counted, sums, prices

    def situation(self, change: "ChangeRequest", params: "Withdraw", age_hours: float) -> Situation:
        """Of this request, which the sums count as what it is worth now."""
        own = Situation(
            value=self.prices.value_of_amount(params.account_id, params.asset, params.amount),
            asset=params.asset,
            account=str(params.account_id),
            destination=_leads_to(params),
            age_hours=age_hours,
            initiator=initiator_of(change),
        )
        return replace(own, sums={each: own.value + self._before(each, change.pk, own) for each in self.sums})

    def _before(self, each: SumOf, itself: int, own: Situation) -> Decimal:
        reach = 1 + WINDOWS.index(each.window)
        worth = (
            self._worth(alike, counted)
            for alike, counted in self.counted.items()
            if alike[6] != itself and alike[4] <= reach and _is_equal(alike, own, each.scope)
        )
        return sum(worth, Decimal(0))

    def _worth(self, alike: Alike, counted: int) -> Decimal:
        asset, account_id, _, _, _, is_known, _ = alike
        return in_currency(counted) if is_known else self.prices.value_of(account_id, asset, counted)


def _is_equal(alike: Alike, own: Situation, scope: Collection[Scope]) -> bool:
    """Whether they are equal in every member of `scope`; what an older node wrote is taken to be."""
    asset, account_id, destination, initiator, *_ = alike
    shared = (
        asset == own.asset,
        str(account_id) == own.account,
        destination in (own.destination, ""),
        initiator in (own.initiator, ""),
    )
    return all(is_same for each, is_same in zip(SCOPES, shared, strict=True) if each in scope)


def _counted(organization: "Organization", asked: Sequence[int], sums: Collection[SumOf]) -> dict[Alike, int]:
    """All that counts, by what it is alike in: hundredths of the currency, or units where those were never known.

    What is asked about stands by itself, so that nothing is counted before itself.
    """
    longest = max((each.window.length for each in sums), default=Window.HOUR.length)
    numbers = {f"asked_{place}": pk for place, pk in enumerate(asked)}
    statement = STATEMENT.format(asked=", ".join(f"%({name})s" for name in numbers))
    with connection.cursor() as cursor:
        cursor.execute(statement, {**bounds(organization.pk, longest), **numbers})
        rows = cursor.fetchall()
    return {
        (asset, account_id, destination, initiator, reach, bool(known), itself): total(
            *(parts[:2] if known else parts[2:])
        )
        for asset, account_id, destination, initiator, reach, known, itself, *parts in rows
    }
