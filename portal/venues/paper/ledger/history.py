"""What an Account's ledger shows, newest first."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from portal.venues.errors import UnknownLedgerId
from portal.venues.paper import catalogue, query_bounds
from portal.venues.paper.ledger.models import Posting
from portal.venues.types import LedgerPage, LedgerQuery, LedgerRow

PAGE = 50


def page(account_id: int, query: LedgerQuery) -> LedgerPage:
    """Fifty rows at most. Raises: UnknownAsset, UnknownLedgerId."""
    postings = _matching(Posting.objects.filter(account_id=account_id), query)
    rows = postings.select_related("entry").order_by("-at", "-pk")[query.offset : query.offset + PAGE]
    return LedgerPage(rows=tuple(map(described, rows)), count=postings.count() if query.with_count else None)


def rows(account_id: int, ids: Sequence[str]) -> list[LedgerRow]:
    """The rows of those ledger ids that are this Account's."""
    postings = Posting.objects.filter(account_id=account_id, ledger_id__in=ids)
    return [described(posting) for posting in postings.select_related("entry").order_by("-at", "-pk")]


def _matching(account: QuerySet[Posting], query: LedgerQuery) -> QuerySet[Posting]:
    postings = account
    if query.assets:
        postings = postings.filter(asset__in=catalogue.ids(query.assets))
    if query.kind:
        postings = postings.filter(entry__kind=query.kind)
    postings = query_bounds.beyond(postings, _place(account, query.after_id), "at")
    postings = query_bounds.up_to(postings, _place(account, query.until_id), "at")
    return query_bounds.seen(query_bounds.asked(postings, query, "at"), query, "at")


def _place(postings: QuerySet[Posting], ledger_id: str) -> tuple[datetime, int] | None:
    if not ledger_id:
        return None
    place = postings.filter(ledger_id=ledger_id).values_list("at", "pk").first()
    if place is None:
        raise UnknownLedgerId("There is no such ledger entry.", field="start")
    return place


def described(posting: Posting) -> LedgerRow:
    """A leg as it is told. A fee is told apart from the amount: both left the balance."""
    return LedgerRow(
        id=posting.ledger_id or "",
        reference=posting.entry.reference,
        at=posting.at,
        kind=posting.entry.kind,
        subkind=posting.entry.subkind,
        asset=catalogue.by_id(posting.asset),
        amount_units=posting.units + posting.fee_units,
        fee_units=posting.fee_units,
        balance_units=posting.balance_units or 0,
    )
