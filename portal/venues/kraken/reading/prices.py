"""The last prices of an exchange's public ticker, kept so that rules can reckon with them inside of a transaction."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import msgspec
from django.utils import timezone

from portal.core.clocks import is_ahead
from portal.core.errors import Busy, Conflict, Unavailable
from portal.core.lanes import lane
from portal.venues.kraken import calling, exchanges
from portal.venues.kraken.exchanges import Exchange
from portal.venues.kraken.models import TROUBLE_LENGTH, Connection, Snapshot
from portal.venues.kraken.reading import catalogue, shapes, snapshots
from portal.venues.kraken.reading.shapes import OtherShape
from portal.venues.kraken.upstream.room import room
from portal.venues.types import Asset, Pair, Priced

PART: Final = "prices"
DOLLARS: Final = "USD"
# The round reads them so often that whoever asks seldom has to; who asks waits a moment, and not again and again.
ROUND: Final = timedelta(minutes=2)
OLD: Final = timedelta(minutes=5)
PAUSE: Final = timedelta(seconds=30)
SECONDS: Final = 10.0
ASKED_SECONDS: Final = 3.0

# What this process read last of each row, under when that was written.
_read: dict[int, tuple[datetime, Mapping[str, Decimal]]] = {}


def price(account_id: int, asset: str, into: str) -> Priced | None:
    """See Pricing.price: two statements, and no call."""
    row = _row_of(account_id)
    if row is None or row.read_at is None or not row.answer:
        return None
    names = catalogue.known()
    base, target, dollars = (names.by_name.get(name.upper()) for name in (asset, into, DOLLARS))
    if base is None or target is None:
        return None
    known, pairs = _prices(row.pk, row.read_at, row.answer), names.pairs.values()
    direct = _rate(known, pairs, base, target)
    through = [] if dollars is None else [_rate(known, pairs, base, dollars), _rate(known, pairs, dollars, target)]
    worth = Fraction(1)
    for leg in [direct] if direct is not None else through or [None]:
        if leg is None:
            return None
        worth *= leg
    return Priced(worth, row.read_at)


def refresh(account_id: int) -> None:
    """Ask the Account's exchange if what is known grows old; a moment at most, and not at all in a transaction."""
    if not calling.may_ask() or not _is_old(_row_of(account_id), OLD):
        return
    name = (
        Connection.objects.filter(account=account_id, disconnected_at=None).values_list("exchange", flat=True).first()
    )
    exchange = exchanges.exchange(name) if name is not None else None
    if exchange is None:
        return
    seconds = min(ASKED_SECONDS, max(snapshots.LEAST_SECONDS, snapshots.patience(ASKED_SECONDS)))
    # Where too many wait for exchanges already, the round brings it.
    with suppress(Conflict), room.one(account_id):
        _refresh(exchange, seconds, OLD)


def go_round() -> int:
    """Read them anew of every exchange that Accounts are connected to; how many answered."""
    return sum(_refresh(exchange, SECONDS, ROUND) for exchange in catalogue.connected_exchanges())


def _refresh(exchange: Exchange, seconds: float, old: timedelta) -> bool:
    """Whether they were read. One asks at a time, and nobody else waits for what it brings."""
    try:
        with lane(f"kraken prices {exchange.name}", seconds=0):
            return _is_old(_row(exchange.name), old) and _asked(exchange, seconds)
    except Busy:
        return False


def _asked(exchange: Exchange, seconds: float) -> bool:
    now = timezone.now()
    try:
        answer = calling.ask_public(exchange.url, "Ticker", seconds=seconds)
        snapshots.result_of(answer)
        said = _last_prices(answer.decoded())
    except Unavailable as error:
        trouble = error.message
    except OtherShape:
        trouble = snapshots.OTHER_SHAPE
    else:
        text = msgspec.json.encode(said).decode()
        catalogue.keep(exchange, PART, {"answer": text, "read_at": now, "tried_at": now, "trouble": ""})
        return True
    catalogue.keep(exchange, PART, {"tried_at": now, "trouble": trouble[:TROUBLE_LENGTH]})
    return False


def _last_prices(result: Any) -> dict[str, str]:  # noqa: ANN401  (whatever JSON can be)
    """The price of the last trade by pair; of a pair in another shape, or without one, there is none.

    Raises: OtherShape if it is no ticker at all.
    """
    found: dict[str, str] = {}
    for name, row in shapes.mapping(result).items():
        try:
            last = shapes.exact(shapes.part_of(row, "c")[0])
        except (OtherShape, LookupError, TypeError):
            continue
        if last > 0:
            found[name] = f"{last:f}"
    return found


def _is_old(row: Snapshot | None, old: timedelta) -> bool:
    if row is None:
        return True
    now = timezone.now()
    last, pause = (row.tried_at, PAUSE) if row.trouble or row.read_at is None else (row.read_at, old)
    return is_ahead(last, now) or now >= last + pause


def _row_of(account_id: int) -> Snapshot | None:
    names = Connection.objects.filter(account=account_id).values("exchange")
    return Snapshot.objects.filter(account=None, part=PART, exchange__in=names).first()


def _row(name: str) -> Snapshot | None:
    return Snapshot.objects.filter(account=None, part=PART, exchange=name).first()


def _prices(pk: int, read_at: datetime, answer: str) -> Mapping[str, Decimal]:
    kept = _read.get(pk)
    if kept is None or kept[0] != read_at:
        said = msgspec.json.decode(answer, type=dict[str, str])
        kept = _read[pk] = (read_at, {name: Decimal(price) for name, price in said.items()})
    return kept[1]


def _rate(known: Mapping[str, Decimal], pairs: Iterable[Pair], base: Asset, quote: Asset) -> Fraction | None:
    """What one of `base` is worth in `quote` by the pair between them, whichever way round; None without a price."""
    if base.id == quote.id:
        return Fraction(1)
    for pair in pairs:
        if pair.id not in known:
            continue
        if (pair.base.id, pair.quote.id) == (base.id, quote.id):
            return Fraction(known[pair.id])
        if (pair.base.id, pair.quote.id) == (quote.id, base.id):
            return 1 / Fraction(known[pair.id])
    return None
