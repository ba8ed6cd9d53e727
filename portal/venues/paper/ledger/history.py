"""What an Account's ledger shows, newest first."""

from collections.abc import Collection, Sequence

from django.db.models import QuerySet

from portal.venues.errors import UnknownLedgerId
from portal.venues.paper import catalogue, query_bounds
from portal.venues.paper.ledger.models import Posting
from portal.venues.paper.ranks import pages
from portal.venues.paper.ranks.models import Ranked
from portal.venues.paper.ranks.stretch import Place
from portal.venues.types import LedgerPage, LedgerQuery, LedgerRow


def page(account_id: int, query: LedgerQuery) -> LedgerPage:
    """Fifty rows at most. Raises: UnknownAsset, UnknownLedgerId."""
    own = Posting.objects.filter(account_id=account_id)
    stretch = query_bounds.stretch(query).beyond(_place(own, query.after_id)).up_to(_place(own, query.until_id))
    page = pages.page(account_id, Ranked.LEDGER, stretch, keys=_keys(account_id, query), offset=query.offset)
    found = Posting.objects.filter(pk__in=page.ids).select_related("entry").order_by("-at", "-pk")
    return LedgerPage(rows=tuple(map(described, found)), count=page.count if query.with_count else None)


def rows(account_id: int, ids: Sequence[str]) -> list[LedgerRow]:
    """The rows of those ledger ids that are this Account's."""
    postings = Posting.objects.filter(account_id=account_id, ledger_id__in=ids)
    return [described(posting) for posting in postings.select_related("entry").order_by("-at", "-pk")]


def _keys(account_id: int, query: LedgerQuery) -> Collection[str]:
    """The parts of the ledger that are asked for: each is of one kind and asset."""
    if not query.assets and not query.kind:
        return ("",)
    assets = catalogue.ids(query.assets)
    parts = (key.split("/") for key in pages.parts(account_id, Ranked.LEDGER) if key)
    return [
        f"{kind}/{asset}"
        for kind, asset in parts
        if (not query.kind or kind == query.kind) and (not assets or asset in assets)
    ]


def _place(postings: QuerySet[Posting], ledger_id: str) -> Place | None:
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
