"""The part of PaperVenue that has to do with another exchange: there is none."""

from portal.core.errors import Unavailable
from portal.venues.relaying import RelayedAnswer, RelayedCall


class PaperRelay:
    """Fulfils `Relaying`: the paper exchange answers everything by its typed methods, and sends all by itself."""

    def doubt_withdrawals(self, account_id: int) -> int:
        """None: what was sent was restored along with everything else."""
        return 0

    def relays(self, method: str) -> bool:
        """None."""
        return False

    def relay(self, call: RelayedCall) -> RelayedAnswer:
        """There is nobody to send it to. Raises: Unavailable."""
        raise Unavailable("The paper exchange answers by itself.")

    def relay_public(self, method: str, query: str) -> RelayedAnswer | None:
        """None."""
        return None
