"""What rules have to be told of withdrawals, by whoever knows about money: one seam (DESIGN P7)."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from policies.rules.language import Situation, SumOf

if TYPE_CHECKING:
    from accounts.models import Organization
    from policies.models import ChangeRequest


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A withdrawal that nobody has asked for yet. `amount` counts the fee in; `initiator` as `initiator_id` says."""

    account_id: int
    asset: str
    amount: Decimal
    destination: str
    initiator: str


@dataclass(frozen=True, slots=True)
class Past:
    """A withdrawal that was asked for: its request, what rules saw of it then but for its sums, and what became of it.

    `released_at`: when it left the sums without being executed; `sent_at`: when it was executed. Neither while held.
    """

    change_id: int
    asked_at: datetime
    situation: Situation
    sent_at: datetime | None = None
    released_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """Something that a list of a rule can name: its value there, what people call it, and its Account if it has one."""

    value: str
    label: str
    account_id: int | None = None


class Measures(Protocol):
    """Tells what is so of withdrawals, in the Organization's currency. Reads only."""

    def situation(self, change: "ChangeRequest", params: object, sums: Collection[SumOf]) -> Situation:
        """A request as it is now, or would be if it were opened: with these sums, itself counted in.

        One statement for the sums, however many there are. Under the history's lock it misses none.
        """

    def situations(
        self,
        organization: "Organization",
        asked: "Sequence[tuple[ChangeRequest, object]]",
        sums: Collection[SumOf],
        *,
        with_ages: bool,
    ) -> Mapping[int, Situation]:
        """The same of open requests of one Organization, each with its params, by primary key; for lists.

        Without `with_ages` nobody looks since when their destinations are known.
        """

    def foreseen(self, organization: "Organization", what: Foreseen, sums: Collection[SumOf]) -> Situation:
        """The same of one that nobody has asked for."""

    def past(self, organization: "Organization", since: datetime) -> Iterator[Past]:
        """Every withdrawal asked for since then, oldest first, read some at a time, whatever became of it."""

    def assets(self, organization: "Organization") -> tuple[Named, ...]:
        """What can be withdrawn, by name."""

    def destinations(self, organization: "Organization") -> tuple[Named, ...]:
        """Where to, as the address books have it now, by name; one that is in several books once for each."""

    def is_priced(self, organization: "Organization") -> bool:
        """Whether anything has a price in its currency now: else everything is worth more than any amount.

        A few assets of each venue are tried, never all.
        """


_tells: list[Callable[[], Measures]] = []
_taken: list[Measures] = []


def told_by(tells: Callable[[], Measures]) -> None:
    """Have it told by what this makes when somebody asks for the first time, to the end of the process."""
    _tells[:] = [tells]


def measures() -> Measures:
    """Whoever tells. Raises: LookupError before anybody does."""
    if not _taken:
        if not _tells:
            raise LookupError("Nobody tells what rules have to know of withdrawals.")
        _taken[:] = [_tells[0]()]
    return _taken[0]
