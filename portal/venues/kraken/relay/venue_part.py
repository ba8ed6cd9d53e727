"""Calls of bots, sent on to the exchange."""

from portal.core.errors import Unavailable
from portal.venues.relaying import RelayedAnswer, RelayedCall

NOT_READ = "This cannot be sent on yet."


class KrakenRelay:
    """Fulfils `Relaying`."""

    def relays(self, method: str) -> bool:
        """Whatever the exchange answers and no policy governs."""
        return False

    def relay(self, call: RelayedCall) -> RelayedAnswer:
        """Signed anew, narrowed to the key's window on the way out and back."""
        raise Unavailable(NOT_READ)

    def relay_public(self, method: str, query: str) -> RelayedAnswer | None:
        """From a memory of one second."""
        return None
