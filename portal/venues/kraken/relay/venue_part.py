"""Calls of bots, sent on to the exchange."""

from portal.venues.kraken.relay import methods, public_memory, relayed
from portal.venues.relaying import RelayedAnswer, RelayedCall


class KrakenRelay:
    """Fulfils `Relaying`."""

    def relays(self, method: str) -> bool:
        """Whatever the exchange answers and no policy governs; and what is refused here for good."""
        return method not in methods.OURS

    def relay(self, call: RelayedCall) -> RelayedAnswer:
        """Signed anew, narrowed to the key's window on the way out and back."""
        return relayed.relayed(call)

    def relay_public(self, method: str, query: str) -> RelayedAnswer | None:
        """From a memory of one second."""
        return public_memory.asked(method, query)
