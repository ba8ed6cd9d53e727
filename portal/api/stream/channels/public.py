"""What a public channel is, and how the parameters of a subscription are read (reference §13)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, Protocol, TypeAlias, TypeVar

from portal.venues.errors import UnknownPair
from portal.venues.protocol import Catalogue
from portal.venues.types import Pair

Row: TypeAlias = dict[str, object]
Data: TypeAlias = "Sequence[Row] | Row"
Parameters: TypeAlias = Mapping[str, object]

# What every subscription may carry. A public channel needs no token; one that comes along is not looked at.
COMMON: Final = frozenset({"channel", "snapshot", "symbol", "token"})

Subject_contra = TypeVar("Subject_contra", contravariant=True)
Options = TypeVar("Options")
State = TypeVar("State")


class Refused(Exception):
    """A subscription that cannot be, in the protocol's words."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Channel(Protocol[Subject_contra, Options, State]):
    """One public channel, as a module. Nothing in it waits, and nothing knows who listens.

    `subject` is a Pair, or None for a channel about everything. Options are frozen, and equal for all who are told the
    same: whether one asked for a snapshot makes no difference. So one state per subject and options is all that a
    process keeps: `update` makes the first without rows from None, and then each from the one before, with what is to
    be told of. A snapshot is of a state, so whoever gets it can go on with the updates that follow that state.
    """

    def read(self, params: Parameters, method: str = "subscribe") -> Options:
        """What `params` ask for. Raises: Refused."""

    def result(self, options: Options, symbol: str) -> Row:
        """What the acknowledgement says of one symbol; of everything it is empty."""

    def snapshot(self, subject: Subject_contra, options: Options, state: State) -> Data:
        """What a new subscriber is sent first, if it wants to."""

    def update(
        self, venue: Catalogue, subject: Subject_contra, options: Options, before: State | None
    ) -> tuple[Data, State]:
        """What has changed since `before`, empty if nothing has; and what is to be passed in the next time."""


def symbols(params: Parameters) -> tuple[str, ...]:
    """The symbols of a channel about pairs, as they came. Raises: Refused."""
    if "symbol" not in params:
        raise Refused("Symbol(s) not found")
    found = params["symbol"]
    if not isinstance(found, list) or not all(isinstance(symbol, str) for symbol in found):
        raise Refused("Symbol field must be an array of strings")
    if not found:
        raise Refused("Symbol(s) not found")
    return tuple(found)


def symbol_of(pair: Pair) -> str:
    """What the pair is called here: `BTC/USD`, where elsewhere it is `XBT/USD`."""
    return f"{pair.base.code}/{pair.quote.code}"


def pair_of(venue: Catalogue, symbol: str) -> Pair:
    """The pair of a symbol, which has this one spelling. Raises: Refused."""
    if "/" not in symbol:
        raise Refused(f"Currency pair not in ISO 4217-A3 format {symbol}")
    try:
        pair = venue.pair(symbol)
    except UnknownPair:
        raise Refused(f"Currency pair not supported {symbol}") from None
    if symbol_of(pair) != symbol:
        raise Refused(f"Currency pair not supported {symbol}")
    return pair


def allow(params: Parameters, method: str, own: Collection[str] = ()) -> None:
    """Let through what every subscription has, and the channel's own. Raises: Refused."""
    for name in params:
        if name not in COMMON and name not in own:
            raise Refused(f"Unsupported field: '{name}' for the given msg type: {method}")


def flag(params: Parameters, name: str, *, default: bool) -> bool:
    """Yes or no. Raises: Refused."""
    value = params.get(name, default)
    if not isinstance(value, bool):
        raise Refused(f"{name.capitalize()} field must be a boolean")
    return value


def whole(params: Parameters, name: str, *, default: int, wrong: str) -> int:
    """A whole number, which true and false are none. Raises: Refused with `wrong`."""
    value = params.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused(wrong)
    return value
