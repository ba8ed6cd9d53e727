"""How far the deposits of an Account have got."""

from django.utils import timezone

from portal.core.errors import Invalid
from portal.venues.paper import catalogue, query_bounds
from portal.venues.paper.deposits.arrival import SETTLED_AFTER, txid
from portal.venues.paper.deposits.models import Deposit
from portal.venues.types import DepositPage, DepositQuery, DepositRow, DepositStage

MAX_ROWS = 500


def page(account_id: int, query: DepositQuery) -> DepositPage:
    """One page, newest first.

    Raises: UnknownAsset; Invalid if the cursor is not one that a page of this Account gave.
    """
    rows = Deposit.objects.filter(account_id=account_id)
    if query.cursor:
        place = rows.filter(reference=query.cursor).values_list("pk", flat=True).first()
        if place is None:
            raise Invalid("There is no page at that cursor.", field="cursor")
        rows = rows.filter(pk__lt=place)
    if query.asset:
        rows = rows.filter(asset=catalogue.asset(query.asset).id)
    if query.method:
        rows = rows.filter(method__iexact=query.method)
    rows = query_bounds.seen(query_bounds.within(rows, query, "sent_at"), query, "sent_at")
    limit = max(1, min(query.limit, MAX_ROWS))
    found = list(rows.order_by("-pk")[: limit + 1])
    shown = found[:limit]
    return DepositPage(
        rows=tuple(row(deposit) for deposit in shown),
        next_cursor=shown[-1].reference if len(found) > limit else None,
    )


def row(deposit: Deposit) -> DepositRow:
    """The deposit as everybody above the venue sees it."""
    return DepositRow(
        reference=deposit.reference,
        asset=catalogue.by_id(deposit.asset),
        method=deposit.method,
        network=deposit.network,
        address=deposit.address,
        txid=txid(deposit),
        amount_units=deposit.amount_units,
        fee_units=0,
        at=deposit.sent_at,
        stage=_stage(deposit),
    )


def _stage(deposit: Deposit) -> DepositStage:
    if deposit.entry_id is not None:
        return DepositStage.SUCCESS
    return DepositStage.SETTLED if timezone.now() - deposit.sent_at >= SETTLED_AFTER else DepositStage.PENDING
