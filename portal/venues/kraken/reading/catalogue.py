"""The assets and pairs of the exchanges that Accounts are connected to: read every few hours, and kept.

One venue speaks for all exchanges of the operator's list: what any of them trades is known, by the first one's word.
An asset that an exchange does not name any more stays known, since requests and addresses name it.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec
from django.core.exceptions import ImproperlyConfigured
from django.db.models.functions import Length
from django.utils import timezone

from portal.core.database.one_reading import once
from portal.core.errors import Unavailable
from portal.venues.errors import UnknownAsset, UnknownPair
from portal.venues.kraken import calling, exchanges
from portal.venues.kraken.exchanges import Exchange
from portal.venues.kraken.models import TROUBLE_LENGTH, Connection, Snapshot
from portal.venues.kraken.reading import names, shapes, snapshots
from portal.venues.kraken.reading.names import Names
from portal.venues.kraken.reading.shapes import OtherShape, Row
from portal.venues.types import Asset, Pair, Schedule

ASSETS: Final = "assets"
PAIRS: Final = "pairs"
METHODS: Final = {ASSETS: "Assets", PAIRS: "AssetPairs"}
OLD: Final = timedelta(hours=4)
RETRY: Final = timedelta(minutes=5)
# Of one call by the task, which others wait for; a page waits as for everything else.
SECONDS: Final = 10.0
NO_ASSET: Final = "The exchange has no such asset."
NO_PAIR: Final = "The exchange has no such pair."
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")

Version = tuple[tuple[object, ...], ...]
# The catalogue that this process read last, under the rows that it was read from.
_read: dict[Version, Names] = {}


def assets() -> tuple[Asset, ...]:
    """Everything that can be held and moved."""
    return tuple(known().assets.values())


def asset(name: str) -> Asset:
    """The asset under any of its names. Raises: UnknownAsset, also for one that the portal cannot keep amounts of."""
    found = known()
    by_name = found.by_name.get(name.upper())
    if by_name is not None:
        return by_name
    fine = found.too_fine.get(name)
    if fine is not None:
        raise UnknownAsset(
            f"{fine.code} has {fine.decimals} decimals at the exchange, and this portal keeps {names.MOST_DECIMALS} "
            "at most. It is shown here, and cannot be moved by the portal.",
            field="asset",
        )
    raise UnknownAsset(NO_ASSET, field="asset")


def code_of(name: str) -> str:
    """What people call the asset; its own name where nobody knows it."""
    try:
        return asset(name).code
    except UnknownAsset:
        return name


def pairs() -> tuple[Pair, ...]:
    """Everything that can be traded."""
    return tuple(known().pairs.values())


def pair(name: str) -> Pair:
    """The pair under any of its names. Raises: UnknownPair."""
    found = known().pair_by_name.get(name.upper())
    if found is None:
        raise UnknownPair(NO_PAIR, field="pair")
    return found


def schedule(name: str) -> Schedule:
    """What trading in the pair costs, by volume. Raises: UnknownPair; Unavailable if the exchange does not say."""
    try:
        return names.schedule(known().rows[pair(name).id])
    except OtherShape as error:
        raise Unavailable(snapshots.OTHER_SHAPE) from error


def known() -> Names:
    """What is known of all exchanges of the list; a page looks once. What was never read is read now, if it can be."""
    return once("the catalogue of exchanges", _known)


def refresh_old() -> int:
    """Read anew what is older than some hours, of exchanges that Accounts are connected to; say how much that was."""
    now = timezone.now()
    done = 0
    for exchange in connected_exchanges():
        for part in METHODS:
            row = _row(exchange, part)
            if row is None or _is_old(row, now):
                done += refresh(exchange, part, lambda: SECONDS)
    return done


def refresh_all(name: str) -> bool:
    """Read the assets and pairs of the exchange of that name, as when an Account is connected; whether it worked."""
    exchange = exchanges.exchange(name)
    if exchange is None:
        return False
    worked = [refresh(exchange, part, snapshots.patience) for part in METHODS]
    return all(worked)


def refresh(exchange: Exchange, part: str, seconds: Callable[[], float]) -> bool:
    """Ask, and keep the answer; whether there was one. What it does not name any more is kept among the assets."""
    now = timezone.now()
    try:
        answer = calling.ask_public(exchange.url, METHODS[part], seconds=max(snapshots.LEAST_SECONDS, seconds()))
        text = snapshots.result_of(answer)
        said = shapes.mapping(answer.decoded())
        if part == ASSETS:
            row = _row(exchange, part)
            before = shapes.mapping(snapshots.decoded(row.answer)) if row and row.answer else {}
            text = text if before.keys() <= said.keys() else _ENCODER.encode({**before, **said}).decode()
        keep(exchange, part, {"answer": text, "read_at": now, "tried_at": now, "trouble": ""})
        return True
    except Unavailable as error:
        trouble = error.message
    except OtherShape:
        trouble = snapshots.OTHER_SHAPE
    keep(exchange, part, {"tried_at": now, "trouble": trouble[:TROUBLE_LENGTH]})
    return False


def _is_old(row: Snapshot, now: datetime) -> bool:
    """Whether it has to be read again; what was tried just now and failed waits a little."""
    if row.tried_at <= now < row.tried_at + RETRY:
        return False
    return row.read_at is None or row.read_at > now or now >= row.read_at + OLD


def _known() -> Names:
    rows = _versions()
    there = {(row[1], row[2]) for row in rows if row[4]}
    missing = [(each, part) for each in _listed() for part in METHODS if (each.name, part) not in there]
    if missing and calling.may_ask() and _read_missing(missing):
        rows = _versions()
    version = tuple(rows)
    found = _read.get(version)
    if found is None:
        found = _named([row[0] for row in rows])
        _read.clear()
        _read[version] = found
    return found


def _versions() -> list[tuple[object, ...]]:
    """The rows to read, without their long answers."""
    listed = [exchange.name for exchange in _listed()]
    rows = Snapshot.objects.filter(account=None, exchange__in=listed, part__in=METHODS)
    found = rows.values_list("pk", "exchange", "part", "read_at", Length("answer"))
    return sorted(found, key=lambda row: (listed.index(row[1]), row[2]))


def _named(pks: Iterable[object]) -> Names:
    rows = Snapshot.objects.in_bulk(list(pks))
    answers: dict[str, list[Row]] = {part: [] for part in METHODS}
    for pk in pks:
        row = rows.get(pk)
        if row is not None and row.answer:
            answers[row.part].append(shapes.mapping(snapshots.decoded(row.answer)))
    return names.named(answers[ASSETS], answers[PAIRS])


def _read_missing(missing: list[tuple[Exchange, str]]) -> bool:
    """Read what connected exchanges have never said, as far as this page still waits; whether anything came."""
    came = False
    connected = connected_exchanges()
    for exchange, part in missing:
        if exchange not in connected or snapshots.patience() < snapshots.LEAST_SECONDS:
            continue
        if snapshots.is_due(_row(exchange, part), snapshots.FRESH):
            came |= refresh(exchange, part, snapshots.patience)
    return came


def connected_exchanges() -> list[Exchange]:
    """Those of the list that Accounts are connected to: no other is ever called by itself."""
    used = set(Connection.objects.filter(disconnected_at=None).values_list("exchange", flat=True))
    return [exchange for exchange in _listed() if exchange.name in used]


def _listed() -> tuple[Exchange, ...]:
    try:
        return exchanges.exchanges()
    except ImproperlyConfigured:
        return ()


def _row(exchange: Exchange, part: str) -> Snapshot | None:
    return Snapshot.objects.filter(account=None, exchange=exchange.name, part=part).first()


def keep(exchange: Exchange, part: str, said: dict[str, object]) -> None:
    """Write what an exchange said to a question that is about none of its accounts."""
    rows = Snapshot.objects.filter(account=None, exchange=exchange.name, part=part)
    if not rows.update(**said):
        # Whoever made it meanwhile has read the same just now.
        Snapshot.objects.bulk_create([Snapshot(exchange=exchange.name, part=part, **said)], ignore_conflicts=True)
