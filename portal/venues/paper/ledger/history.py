"""What an Account's ledger shows, newest first."""

from collections.abc import Sequence

from django.db.models import QuerySet

from portal.venues.paper import catalogue
from portal.venues.paper.ledger.models import Posting
from portal.venues.types import LedgerPage, LedgerQuery, LedgerRow

PAGE = 50


def page(account_id: int, query: LedgerQuery) -> LedgerPage:
    """Fifty rows at most. Raises: UnknownAsset."""
    postings = _matching(Posting.objects.filter(account_id=account_id), query)
    rows = postings.select_related("entry").order_by("-at", "-pk")[query.offset : query.offset + PAGE]
    return LedgerPage(rows=tuple(map(_row, rows)), count=postings.count() if query.with_count else None)


def rows(account_id: int, ids: Sequence[str]) -> list[LedgerRow]:
    """The rows of those ledger ids that are this Account's."""
    postings = Posting.objects.filter(account_id=account_id, ledger_id__in=ids)
    return [_row(posting) for posting in postings.select_related("entry").order_by("-at", "-pk")]


def _matching(postings: QuerySet[Posting], query: LedgerQuery) -> QuerySet[Posting]:
    if query.assets:
        postings = postings.filter(asset__in=catalogue.ids(query.assets))
    if query.kind:
        postings = postings.filter(entry__kind=query.kind)
    bounds = {
        "at__gt": query.after,
        "at__lte": query.until,
        "at__gte": query.seen_from,
        "at__lt": query.seen_before,
    }
    return postings.filter(**{name: at for name, at in bounds.items() if at is not None})


def _row(posting: Posting) -> LedgerRow:
    """A fee is told apart from the amount: both left the balance."""
    return LedgerRow(
        id=posting.ledger_id or "",
        reference=posting.entry.reference,
        at=posting.at,
        kind=posting.entry.kind,
        asset=catalogue.by_id(posting.asset),
        amount_units=posting.units + posting.fee_units,
        fee_units=posting.fee_units,
        balance_units=posting.balance_units or 0,
    )
