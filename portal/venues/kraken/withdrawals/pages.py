"""Withdrawals as bots list them: the exchange's own rows, and those that it does not know, each once, newest first."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from django.db.models import QuerySet

from portal.core.errors import Invalid, Unavailable
from portal.venues.kraken import calling
from portal.venues.kraken.models import Step, Withdrawal
from portal.venues.kraken.upstream.outcomes import Meaning
from portal.venues.kraken.upstream.room import asking
from portal.venues.kraken.withdrawals import statuses
from portal.venues.kraken.withdrawals.fence import rows_of
from portal.venues.kraken.withdrawals.matching import Listed, listed
from portal.venues.kraken.withdrawals.rows import AssetOf, asset, row_of, told_stage
from portal.venues.types import Destination, WithdrawalPage, WithdrawalQuery, WithdrawalRow

MAX_ROWS: Final = 500
NO_PAGE: Final = "There is no page at that cursor."


class Place(msgspec.Struct, array_like=True):
    """Where a page begins: the exchange's own page, the row of it that was told last, and our row that was."""

    page: str = "true"
    after: str = ""
    before: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """One row of either list; `place` is where the next page begins if this is the last one."""

    at: datetime
    row: WithdrawalRow
    refid: str
    pk: int


def page(account_id: int, query: WithdrawalQuery, asset_of: AssetOf) -> WithdrawalPage:
    """See Venue.withdrawals. The exchange is asked; while it does not answer nothing is told: half would mislead.

    Raises: Unavailable; Invalid for a cursor that no page gave.
    """
    place, limit = _place(query.cursor), max(1, min(query.limit, MAX_ROWS))
    theirs, following = _theirs(account_id, query, place, limit, asset_of)
    ours = [
        Told(row.held_at, row_of(row, asset_of), "", row.pk) for row in _ours(account_id, query, place)[: limit + 1]
    ]
    merged = sorted([*theirs, *ours], key=lambda told: told.at, reverse=True)
    shown = merged[:limit]
    is_last = len(merged) <= limit and not following
    return WithdrawalPage(
        rows=tuple(told.row for told in shown),
        next_cursor=None if is_last else _written(_next(place, shown, theirs, following)),
    )


def _next(place: Place, shown: Sequence[Told], theirs: Sequence[Told], following: str) -> Place:
    before = next((told.pk for told in reversed(shown) if told.pk), place.before)
    last = next((told.refid for told in reversed(shown) if told.refid), place.after)
    if following and (not theirs or last == theirs[-1].refid):
        return Place(following, "", before)
    return Place(place.page, last, before)


def _theirs(
    account_id: int, query: WithdrawalQuery, place: Place, limit: int, asset_of: AssetOf
) -> tuple[list[Told], str]:
    """What of the exchange's page was not told yet, and where its next begins."""
    since = max((at for at in (query.since, query.seen_from) if at is not None), default=None)
    until = min((at for at in (query.until, query.seen_before) if at is not None), default=None)
    fields: dict[str, Any] = {"limit": MAX_ROWS if place.after else limit, "cursor": place.page}
    fields |= {"asset": query.asset} if query.asset else {}
    fields |= {"method": query.method} if query.method else {}
    fields |= {"start": int(since.timestamp())} if since is not None else {}
    fields |= {"end": int(until.timestamp())} if until is not None else {}
    with asking(account_id):
        answer = calling.ask(statuses.asking(account_id), "WithdrawStatus", fields)
    if answer.errors:
        words = f"The exchange says: {', '.join(answer.errors)}."
        raise Invalid(words, field="cursor") if answer.meaning is Meaning.REFUSED else Unavailable(words)
    rows, following = rows_of(answer.decoded())
    found = [each for each in map(listed, rows) if each is not None and _is_seen(each.at, query)]
    told = [each.refid for each in found]
    if place.after in told:
        found = found[told.index(place.after) + 1 :]
    known = Withdrawal.objects.filter(account=account_id, refid__in=[each.refid for each in found])
    ours = {row.refid: row for row in known}
    return [Told(each.at, _told(each, ours.get(each.refid), asset_of), each.refid, 0) for each in found], following


def _ours(account_id: int, query: WithdrawalQuery, place: Place) -> QuerySet[Withdrawal]:
    """What the exchange has no row of, as far as we know: accepted ones stand in its list."""
    rows = Withdrawal.objects.filter(account=account_id).exclude(step=Step.ACCEPTED)
    rows = rows.filter(pk__lt=place.before) if place.before else rows
    rows = rows.filter(asset=query.asset) if query.asset else rows
    rows = rows.filter(method__iexact=query.method) if query.method else rows
    rows = rows.filter(held_at__gte=query.since) if query.since is not None else rows
    rows = rows.filter(held_at__lte=query.until) if query.until is not None else rows
    rows = rows.filter(held_at__gte=query.seen_from) if query.seen_from is not None else rows
    rows = rows.filter(held_at__lt=query.seen_before) if query.seen_before is not None else rows
    return rows.order_by("-pk")


def _is_seen(at: datetime, query: WithdrawalQuery) -> bool:
    """Whether the key's own window shows it, whatever the exchange made of the bounds."""
    return (query.seen_from is None or at >= query.seen_from.replace(microsecond=0)) and (
        query.seen_before is None or at < query.seen_before
    )


def _told(each: Listed, ours: Withdrawal | None, asset_of: AssetOf) -> WithdrawalRow:
    """The exchange's row, under our reference where we asked for it."""
    digits = max(_places(each.amount), _places(each.fee))
    of = asset(each.asset, ours.decimals if ours else digits, asset_of)
    decimals = max(of.decimals, digits)
    return WithdrawalRow(
        reference=ours.reference if ours else each.refid,
        destination=Destination(
            each.key, each.address, str(each.row.get("method") or ""), str(each.row.get("network") or "")
        ),
        asset=of,
        amount_units=int(each.amount.scaleb(decimals)),
        fee_units=int(each.fee.scaleb(decimals)),
        at=each.at,
        stage=told_stage(each.status, each.status_prop),
        txid=each.txid or None,
        cancel_denied=each.status_prop == "cancel-denied",
        told=each.row,
    )


def _places(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _place(cursor: str) -> Place:
    if not cursor:
        return Place()
    try:
        return msgspec.json.decode(urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)), type=Place)
    except (ValueError, msgspec.MsgspecError) as error:
        raise Invalid(NO_PAGE, field="cursor") from error


def _written(place: Place) -> str:
    return urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")
