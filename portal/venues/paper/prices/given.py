"""Prices that stand still, and prices read from a file."""

import csv
from bisect import bisect_right
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path as File

from django.core.exceptions import ImproperlyConfigured

from portal.core.errors import DomainError
from portal.core.money import parse_plain, to_units
from portal.venues.paper import catalogue
from portal.venues.paper.prices.pairs import MARKETS, REFERENCES, VALUE_DECIMALS, price_of, start_of
from portal.venues.paper.prices.path import TRADE_OCTAVE, Reaches, Search, step_at
from portal.venues.types import Asset, Pair


class Still:
    """Every price stays where it begins."""

    key = "still"
    moves = False

    def mid(self, pair_id: str, step: int) -> int:
        """Where the pair begins."""
        return MARKETS[pair_id].start

    def first(self, pair_id: str, after: int, until: int, reaches: Reaches) -> Search:
        """The very next step, if where the pair begins is already far enough."""
        price = MARKETS[pair_id].start
        return Search(after + 1, after + 1) if after < until and reaches(price, price) else Search(None, until)

    def extremes(self, pair_id: str, since: int, until: int) -> tuple[int, int]:
        """Where the pair begins, twice."""
        return MARKETS[pair_id].start, MARKETS[pair_id].start


class Recorded:
    """Prices of a file, each in force until the next; an asset that it does not name stands still.

    The file has lines `time,pair,price`: the time as seconds since 1970 or in ISO 8601, in any order. Pairs are those
    against dollars: all others follow from them, so that no file can make a circle of trades that earns.

    Raises: ImproperlyConfigured if it cannot be read, naming the line.
    """

    moves = True

    def __init__(self, file: File) -> None:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"PORTAL_PAPER_PRICES: {file} cannot be read.") from error
        self.key = f"csv:{blake2b(text.encode(), digest_size=8).hexdigest()}"
        rows: dict[str, dict[int, int]] = defaultdict(dict)
        for number, row in enumerate(csv.reader(text.splitlines()), 1):
            if not row or (number == 1 and row[0].strip().lower() == "time"):
                continue
            pair_id, step, price = _row(row, f"{file}, line {number}")
            rows[pair_id][step] = price
        # By the asset whose value in dollars they are.
        self._steps = {catalogue.pair(pair_id).base.id: sorted(of_pair) for pair_id, of_pair in rows.items()}
        self._values: dict[str, list[int]] = {}
        for asset_id, steps in self._steps.items():
            pair = REFERENCES[asset_id].pair
            self._values[asset_id] = [_value(pair, rows[pair.id][step]) for step in steps]

    def mid(self, pair_id: str, step: int) -> int:
        """By what the file says of both assets at that step."""
        pair = MARKETS[pair_id].pair
        return price_of(pair, self._value_at(pair.base, step), self._value_at(pair.quote, step))

    def _value_at(self, asset: Asset, step: int) -> int:
        steps = self._steps.get(asset.id)
        if steps is None:
            return start_of(asset)
        return self._values[asset.id][max(0, bisect_right(steps, step) - 1)]

    def first(self, pair_id: str, after: int, until: int, reaches: Reaches) -> Search:
        """Look only at the steps at which the file changes something."""
        if after >= until:
            return Search(None, until)
        for step in (after + 1, *self._changes(pair_id, after + 1, until)):
            price = self.mid(pair_id, step)
            if reaches(price, price):
                return Search(step, step)
        return Search(None, until)

    def extremes(self, pair_id: str, since: int, until: int) -> tuple[int, int]:
        """By the trades at which the file changes something."""
        first, last = since << TRADE_OCTAVE, until << TRADE_OCTAVE
        # The first trade at each price that the file brings in between.
        trades = {-(-step >> TRADE_OCTAVE) for step in self._changes(pair_id, first, last)}
        prices = [self.mid(pair_id, trade << TRADE_OCTAVE) for trade in (since, *trades)]
        return min(prices), max(prices)

    def _changes(self, pair_id: str, since: int, until: int) -> list[int]:
        """The steps in (since, until] at which the file has a price for either side, in their order."""
        pair, found = MARKETS[pair_id].pair, set[int]()
        for asset in (pair.base, pair.quote):
            steps = self._steps.get(asset.id, [])
            found.update(steps[bisect_right(steps, since) : bisect_right(steps, until)])
        return sorted(found)


def _row(row: list[str], place: str) -> tuple[str, int, int]:
    try:
        time, name, price = (part.strip() for part in row)
        pair = catalogue.pair(name)
        if pair.quote != catalogue.USD:
            raise ImproperlyConfigured(
                f"PORTAL_PAPER_PRICES: {place} is about {pair.wsname}. Give prices in dollars: those of other pairs "
                "follow from them."
            )
        units = to_units(parse_plain(price), pair.price_decimals)
        return pair.id, step_at(_instant(time)), units
    except (ValueError, OverflowError, DomainError) as error:
        raise ImproperlyConfigured(f"PORTAL_PAPER_PRICES: {place} is not `time,pair,price`.") from error


def _value(pair: Pair, price_units: int) -> int:
    """A price in dollars as the value of the pair's base."""
    return int(price_units * 10 ** (VALUE_DECIMALS - pair.price_decimals))


def _instant(text: str) -> datetime:
    if text.replace(".", "", 1).isdigit():
        return datetime.fromtimestamp(int(Decimal(text)), UTC)
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
