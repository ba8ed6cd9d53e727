"""What withdrawals hold that the exchange knows nothing of yet."""

from decimal import Decimal

from django.db.models import Sum

from portal.venues.kraken.models import Step, Withdrawal

# Of these the exchange has taken nothing off the balance, as far as anybody knows.
HOLDING = (Step.HELD, Step.INTENDED, Step.SENDING, Step.LOST, Step.UNKNOWN)


def holds(account_id: int) -> dict[str, Decimal]:
    """How much of each asset is held, by the exchange's ids; assets without a hold are left out."""
    rows = (
        Withdrawal.objects.filter(account_id=account_id, step__in=HOLDING)
        .order_by()
        .values_list("asset", "decimals")
        .annotate(units=Sum("amount_units"))
    )
    found: dict[str, Decimal] = {}
    for asset, decimals, units in rows:
        found[asset] = found.get(asset, Decimal(0)) + Decimal(units).scaleb(-decimals)
    return found
