"""How fast the bots of an Organization may call: the protocol's tiers (reference §5)."""

from dataclasses import dataclass
from typing import Final

from accounts.models.organization import ApiTier
from portal.core.kept_settings import kept


@dataclass(frozen=True, slots=True)
class Calls:
    """A key's call counter: each call adds its cost, `decay` leaks every second, above `maximum` calls are refused."""

    maximum: float
    decay: float

    @property
    def cap(self) -> float:
        """Where the counter stops rising, so that a flood blocks its key for seconds, not for an hour."""
        return self.maximum * 2


CALLS: Final[dict[str, Calls]] = {
    ApiTier.STARTER.value: Calls(15.0, 0.33),
    ApiTier.INTERMEDIATE.value: Calls(20.0, 0.5),
    ApiTier.PRO.value: Calls(20.0, 1.0),
}
UNLIMITED: Final = Calls(1e12, 1.0)


def calls(tier: str) -> Calls:
    """The counter of that tier; of none, and where the installation sets no limits, one that never fills."""
    return CALLS.get(tier, UNLIMITED) if kept.API_LIMITS else UNLIMITED
