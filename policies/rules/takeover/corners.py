"""The least that the rules of withdrawals ask at an amount, whatever else whoever asks may choose (DESIGN P6, P7).

Free to choose are the asset and where to, by waiting the age of an address, and that nothing else left for a while: a
sum is then the amount itself. What is left of a policy are the sets of rules that nobody gets below.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeAlias, TypeVar

from policies.rules.language import Among, Rule, Situation
from policies.rules.language.situation import asked_by

# What no list of a rule names.
ELSEWHERE: Final = "\0"
T = TypeVar("T")
Books: TypeAlias = Mapping[int, Collection[str]]


class Corners:
    """The situations of a withdrawal of `amount` from one Account that ask the least under `rules`.

    `books`: what the addresses of each Account lead to, looked at if it matters where to. Where that is not known, all
    that is listed is taken to be there, and nothing else.
    """

    def __init__(self, rules: Sequence[Rule], amount: Decimal, account_id: int | None, books: Books | None) -> None:
        self._size = len(rules)
        self._account = str(account_id)
        self._amount = amount
        self._sums = {each: amount for rule in rules for each in rule.all_sums()}
        self._matched = _mask(rules, lambda rule: _is_reached(rule, amount, self._account))
        self._by_member = _mask(rules, lambda rule: rule.asked_by in ("", "member"))
        self._by_key = _mask(rules, lambda rule: rule.asked_by in ("", "key"))
        self._assets, self._destinations, self._initiators = (
            _Listed([rule.assets for rule in rules]),
            _Listed([rule.destinations for rule in rules]),
            _Listed([rule.initiators for rule in rules]),
        )
        self._books, self._account_id = books, account_id
        self._known: dict[tuple[int, bool], tuple[tuple[str, str], ...]] = {}
        self._kinds: dict[str, int] = {}
        self._unmatched: dict[int, frozenset[int]] = {}

    @property
    def by_destination(self) -> bool:
        """Whether it matters where to."""
        return bool(self._destinations.values)

    def kind(self, initiator: str) -> int:
        """What is the same for all who are asked the same: which rules could match what they ask."""
        if initiator not in self._kinds:
            by = self._by_key if asked_by(initiator) == "key" else self._by_member
            self._kinds[initiator] = self._matched & by & self._initiators.mask(initiator)
        return self._kinds[initiator]

    def unmatched(self, initiator: str) -> frozenset[int]:
        """The places of the rules that match nothing that they ask."""
        matching = self.kind(initiator)
        if matching not in self._unmatched:
            self._unmatched[matching] = frozenset(place for place in range(self._size) if not matching >> place & 1)
        return self._unmatched[matching]

    def at(self, initiator: str, *, anywhere: bool) -> tuple[Situation, ...]:
        """Those for `initiator`; `anywhere`: also to addresses that are not in the book yet. None if it is empty."""
        known = (self.kind(initiator), anywhere)
        if known not in self._known:
            self._known[known] = tuple(self._least(*known))
        return tuple(
            Situation(self._amount, self._sums, asset, self._account, destination, float("inf"), initiator)
            for asset, destination in self._known[known]
        )

    def _least(self, kind: int, anywhere: bool) -> Iterator[tuple[str, str]]:
        assets = _least(self._assets.masks((*self._assets.values, ELSEWHERE), kind))
        destinations = _least(self._destinations.masks(self._reachable(anywhere), kind))
        both = {
            first & second: (asset, destination)
            for first, asset in assets.items()
            for second, destination in destinations.items()
        }
        yield from _least(both).values()

    def _reachable(self, anywhere: bool) -> Iterable[str]:
        if not self.by_destination:
            return (ELSEWHERE,)
        if anywhere:
            return (*self._destinations.values, ELSEWHERE)
        if self._books is None or self._account_id is None:
            return self._destinations.values
        return sorted(self._books.get(self._account_id, ()))


class _Listed:
    """The lists that rules have of one thing, one after another; None where a rule has none."""

    def __init__(self, lists: Sequence[Among | None]) -> None:
        self._any = _mask(lists, lambda among: among is None)
        self._outside = _mask(lists, lambda among: among is not None and among.outside)
        self._named: dict[str, int] = {}
        for place, among in enumerate(lists):
            for value in among.values if among is not None else ():
                self._named[value] = self._named.get(value, 0) | 1 << place
        self.values = tuple(sorted(self._named))

    def mask(self, value: str) -> int:
        """The rules that hold for `value`, as bits."""
        # A list from outside holds for what it does not name, any other for what it does.
        return self._any | (self._named.get(value, 0) ^ self._outside)

    def masks(self, values: Iterable[str], kind: int) -> dict[int, str]:
        """For each set of rules, of those in `kind`, that holds for one of `values`, the first of those."""
        found: dict[int, str] = {}
        for value in values:
            found.setdefault(self.mask(value) & kind, value)
        return found


def _least(found: Mapping[int, T]) -> dict[int, T]:
    """Those of which no other is a part."""
    return {mask: found[mask] for mask in found if not any(other != mask and other & mask == other for other in found)}


def _mask(things: Sequence[object], holds: Callable[..., bool]) -> int:
    return sum(1 << place for place, thing in enumerate(things) if holds(thing))


def _is_reached(rule: Rule, amount: Decimal, account: str) -> bool:
    """Whether all holds of it that nobody can choose or wait for."""
    return (
        (rule.amount is None or amount >= rule.amount)
        and all(amount >= each.amount for each in rule.sums)
        and (rule.accounts is None or rule.accounts.holds(account))
        and rule.younger_hours is None
    )
