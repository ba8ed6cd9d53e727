"""The line to the exchange of one relayed call: its credential, its time, and whose share it is counted to."""

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Final

from portal.core.errors import Busy
from portal.core.lanes import lane
from portal.venues.errors import OverShare
from portal.venues.kraken import calling, shares
from portal.venues.kraken.credentials import finding
from portal.venues.kraken.relay.methods import NEEDS, TRADING
from portal.venues.kraken.upstream import transport
from portal.venues.kraken.upstream.envelope import Answer
from portal.venues.kraken.upstream.outcomes import NotSent

# All that happens for one call of a bot happens within this; a client waits for some thirty seconds.
SECONDS: Final = 20.0
FILE_SECONDS: Final = 120.0
# One try, so that there is time left to look, or for another one.
TRY_SECONDS: Final = 11.0
PART_OF_A_TRY: Final = 0.6
# Below that nothing is begun any more.
LEAST_SECONDS: Final = 0.2
FILES: Final = frozenset({"RetrieveExport"})
ORDERS_BUSY: Final = "Too many orders of this Account wait for the exchange."
OVER_SHARE: Final = (
    "This Service User has used its share of the calls that the exchange takes of the Account. Others keep theirs."
)


@dataclass(slots=True)
class Line:
    """As long as one call of a bot takes. `ends` is on the monotonic clock."""

    account_id: int
    service_user_id: int
    ends: float
    is_counted: bool = field(default=False)

    @property
    def left(self) -> float:
        """The seconds that are left for all that is still to be asked."""
        return self.ends - time.monotonic()

    def ask(self, method: str, fields: Mapping[str, Any] | None = None) -> Answer:
        """One call, and what the exchange answers to it.

        Raises: OverShare for the first one, if it is above the Service User's share; NotSent, AnswerLost.
        """
        first, self.is_counted = not self.is_counted, True
        credential = finding.for_rest(self.account_id, NEEDS.get(method, ""))
        if not shares.take(self.account_id, self.service_user_id, method, may_refuse=first):
            raise OverShare(OVER_SHARE)
        is_file, left = method in FILES, self.left
        # What is left of it is for those before it in the credential's lane.
        seconds = max(LEAST_SECONDS, min(left * PART_OF_A_TRY, FILE_SECONDS if is_file else TRY_SECONDS))
        return calling.ask(
            credential,
            method,
            fields,
            seconds=seconds,
            limit=transport.FILE_LIMIT if is_file else transport.JSON_LIMIT,
            patience=max(LEAST_SECONDS, left - seconds),
            is_counted=True,
        )

    def in_order(self, method: str) -> AbstractContextManager[None]:
        """One at a time, for what trades; others pass. Raises: NotSent if those before take too long."""
        return _order_lane(self) if method in TRADING else nullcontext()


def line(account_id: int, service_user_id: int, method: str) -> Line:
    """The line for a call of that method that comes in now."""
    seconds = FILE_SECONDS if method in FILES else SECONDS
    return Line(account_id, service_user_id, time.monotonic() + seconds)


@contextmanager
def _order_lane(held: Line) -> Iterator[None]:
    entered = lane(f"kraken orders {held.account_id}", seconds=max(0.0, held.left - TRY_SECONDS))
    try:
        entered.__enter__()
    except Busy as error:
        raise NotSent(ORDERS_BUSY) from error
    try:
        yield
    finally:
        entered.__exit__(None, None, None)
