"""What a Service User may withdraw at most, whatever the policy says (DESIGN K4)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from policies.rules import Bot, Initiator
from policies.rules.language import Scope, Situation, SumOf, Window

if TYPE_CHECKING:
    from accounts.models import Organization

A_DAY: Final = SumOf((Scope.INITIATOR,), Window.DAY)


@dataclass(frozen=True, slots=True)
class Caps:
    """At most so much at once, and in 24 hours with what it sent and has waiting; None: as much as there is."""

    name: str
    at_once: Decimal | None
    in_a_day: Decimal | None

    @property
    def sums(self) -> frozenset[SumOf]:
        """The sums that have to be known."""
        return frozenset() if self.in_a_day is None else frozenset({A_DAY})

    def over(self, situation: Situation) -> str:
        """Why they do not bear it, without a number, which is not for everybody who reads policies; empty if they do.

        What has no price that is known is over every one.
        """
        if self.at_once is not None and situation.value > self.at_once:
            return f"It is more than {self.name} may withdraw at once."
        if self.in_a_day is not None and situation.sums[A_DAY] > self.in_a_day:
            return f"With what it sent and has waiting, it is more than {self.name} may withdraw in 24 hours."
        return ""


NO_CAPS: Final = Caps("", None, None)


def caps_of(organization: "Organization", initiator: Initiator) -> Caps:
    """Those of who asks; a Member has none."""
    if not isinstance(initiator, Bot):
        return NO_CAPS
    bot = organization.service_users.filter(pk=initiator.service_user_id).first()
    return NO_CAPS if bot is None else Caps(bot.name, bot.withdrawal_cap, bot.daily_cap)
