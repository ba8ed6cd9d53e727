"""The part of PaperVenue that sends calls on: none."""

from portal.core.errors import Unavailable
from portal.venues.relaying import RelayedAnswer, RelayedCall


class PaperRelay:
    """Fulfils `Relaying`: the paper exchange answers everything by its typed methods."""

    def relays(self, method: str) -> bool:
        """None."""
        return False

    def relay(self, call: RelayedCall) -> RelayedAnswer:
        """There is nobody to send it to. Raises: Unavailable."""
        raise Unavailable("The paper exchange answers by itself.")

    def relay_public(self, method: str, query: str) -> RelayedAnswer | None:
        """None."""
        return None
