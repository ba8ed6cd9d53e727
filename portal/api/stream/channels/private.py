"""What a private channel is: what happens to the key's own Account, as far as the key may see it (reference §13)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol, TypeAlias, TypeVar

from msgspec import Raw

from accounts.api_keys.lifecycle import Credential
from accounts.api_keys.refused_calls import Reason
from portal.api import permissions
from portal.api.protocol.envelope import ApiError, Error
from portal.api.stream.channels.public import Parameters, Refused, flag
from portal.venues.protocol import Venue
from portal.venues.types import Event

Cell: TypeAlias = "str | int | Raw | Sequence[Cell] | Mapping[str, Cell]"
Row: TypeAlias = dict[str, Cell]
# The frames of one event or of one snapshot, each with its rows. Clients look at the first row to know all of them.
Frames: TypeAlias = list[list[Row]]

# What every subscription may carry; the last two make no difference where nobody has subaccounts or rebased assets.
COMMON: Final = frozenset({"channel", "token", "snapshot", "rebased", "users"})

Options = TypeVar("Options")


class PrivateChannel(Protocol[Options]):
    """One private channel, as a module. Nothing in it waits but `snapshot`, for the database."""

    def read(self, params: Parameters, method: str = "subscribe") -> Options:
        """What `params` ask for. Raises: Refused."""

    def check(self, credential: Credential, options: Options) -> None:
        """Raises: ApiError if the key may not be told this."""

    def result(self, options: Options, credential: Credential) -> Row:
        """What the acknowledgement says."""

    def snapshot(self, venue: Venue, credential: Credential, options: Options) -> Frames:
        """How things stand; called while nothing happens to the Account (Venue.still)."""

    def rows(self, event: Event, options: Options, credential: Credential) -> Frames:
        """What is told of an event; no frames if it is none of this channel's, or not for this key."""


def allow(params: Parameters, method: str, *own: str) -> None:
    """Let through what every subscription has, and the channel's own. Raises: Refused."""
    for name in params:
        if name not in COMMON and name not in own:
            raise Refused(f"Unsupported field: '{name}' for the given msg type: {method}")
    flag(params, "rebased", default=True)
    if params.get("users", "all") != "all":
        raise Refused("Users field must be 'all'")


def check(credential: Credential, *names: str) -> None:
    """Raises: ApiError unless the key has what each of these needs (`permissions.CHANNELS`)."""
    held = permissions.held_by(credential)
    for name in names:
        method = permissions.CHANNELS[name]
        if not permissions.opens(held, method):
            needs = permissions.in_words(method)
            raise ApiError(Error.PERMISSION_DENIED, credential, reason=Reason.PERMISSION, method=name, needs=needs)


def is_seen(credential: Credential, at: datetime) -> bool:
    """Whether the key's query window has that instant in it (DESIGN K4)."""
    is_begun = credential.query_start is None or credential.query_start <= at
    return is_begun and (credential.query_end is None or at < credential.query_end)
