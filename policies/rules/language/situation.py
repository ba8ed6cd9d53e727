"""What is known of one request when it is asked which rules match it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from policies.rules.language.rule import INFINITE, Rule, SumOf

MEMBER: Final = "member"
SERVICE_USER: Final = "service_user"


def initiator_id(kind: str, primary_key: int) -> str:
    """How lists and sums name who asks: `member:12`, or `service_user:5`."""
    return f"{kind}:{primary_key}"


def asked_by(initiator: str) -> str:
    """Of who is so named whether they are a `member` or a `key`."""
    return "key" if initiator.startswith(f"{SERVICE_USER}:") else "member"


@dataclass(frozen=True, slots=True)
class Situation:
    """A withdrawal as rules see it.

    `value` is its amount with fee in the Organization's currency, infinite without a price that is known and fresh;
    `sums` are the totals that were looked up, itself included, and one that was not is infinite. `account` is a
    primary key as text; `destination` what an address leads to, however it is called; `age_hours` how long that has
    been in the book; `initiator` as `initiator_id` names it.
    """

    value: Decimal = INFINITE
    sums: Mapping[SumOf, Decimal] = field(default_factory=dict)
    asset: str = ""
    account: str = ""
    destination: str = ""
    age_hours: float = 0.0
    initiator: str = ""

    @property
    def asked_by(self) -> str:
        """`member` or `key`."""
        return asked_by(self.initiator)

    def meets(self, rule: Rule) -> bool:
        """Whether everything holds that `rule` names; of a tier, also by its sum over 24 hours."""
        return any(self._meets(spelled) for spelled in rule.spelled_out())

    def _meets(self, rule: Rule) -> bool:
        named = (
            (rule.assets, self.asset),
            (rule.accounts, self.account),
            (rule.destinations, self.destination),
            (rule.initiators, self.initiator),
        )
        return (
            (rule.amount is None or self.value >= rule.amount)
            and all(self.sums.get(each.sum, INFINITE) >= each.amount for each in rule.sums)
            and all(among is None or among.holds(value) for among, value in named)
            and (rule.younger_hours is None or self.age_hours < rule.younger_hours)
            and rule.asked_by in ("", self.asked_by)
        )
