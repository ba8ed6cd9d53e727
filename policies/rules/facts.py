"""One Organization as the rules see it: people with rights, bots with keys, policies."""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NoReturn, TypeAlias, TypeVar, cast, overload

from policies.rules.freezes import Frozen
from policies.rules.language import Rule, plain_rule
from policies.workflows import Right, Workflow

T = TypeVar("T")

# The identifier by which a key's permission to withdraw is known; the layer that defines it stands above this one.
WITHDRAW: Final = "withdraw-funds"
PASSKEY: Final = "passkey"
MAX_APPROVALS: Final = 20
MAX_OPEN_HOURS: Final = 24 * 30
# More than any pool could fill: what an unreadable policy asks for when shortages are counted.
NEVER: Final = MAX_APPROVALS + 1
# In the place of an Account: a right that holds for all of them is needed. No Account has this primary key.
EVERY_ACCOUNT: Final = 0
# Of one change there are two Organizations to look at, in each some Accounts and four workflows.
MOST_KEPT: Final = 256
# Where who rests approves nothing (M4).
RESTED: Final = frozenset({Workflow.MANAGE_ACCESS, Workflow.MANAGE_POLICIES, Workflow.INITIATE_WITHDRAWAL})


@dataclass(frozen=True, slots=True)
class Held:
    """One right of one Member; `account_id` None holds for all Accounts."""

    workflow: str
    right: str
    account_id: int | None = None


# A page about everybody asks it many thousand times, of few different sets of Grants.
@lru_cache(maxsize=4096)
def _gives(grants: frozenset[Held], workflow: Workflow, right: Right, account_id: int | None) -> bool:
    enough = right.given_by
    return any(
        held.workflow == workflow
        and held.right in enough
        and (account_id is None or held.account_id is None or held.account_id == account_id)
        for held in grants
    )


@lru_cache(maxsize=4096)
def _give_power(grants: frozenset[Held]) -> bool:
    return any(held.right != Right.VIEW for held in grants)


@dataclass(frozen=True, slots=True)
class Person:
    """A Member with what decides about their rights. `user_id` is the person, whom rules count once.

    `is_resting`: their factors were put anew so lately that they approve nothing, and finish nothing alone, of money,
    access and policies (DESIGN M4). `awaits_power`: a key that only they can reveal, or an offer of the ownership,
    waits for them. `reset_at`: when their factors were last put anew; what somebody showed the old ones for says
    nothing of this person any more. `joined_at`: since when they are a Member, the last time they came. Of who is
    suspended, `comes_back`: the clock ends it; `is_kept_out`: others have to (DESIGN §4). `groups`: by
    primary key, those they are in.
    """

    member_id: int
    user_id: int
    name: str
    is_active: bool = True
    comes_back: bool = False
    is_kept_out: bool = False
    is_verified: bool = True
    is_resting: bool = False
    awaits_power: bool = False
    reset_at: datetime | None = None
    joined_at: datetime | None = None
    factors: frozenset[str] = frozenset()
    grants: frozenset[Held] = frozenset()
    groups: frozenset[int] = frozenset()

    def holds(self, workflow: Workflow, right: Right, account_id: int | None = None) -> bool:
        """Whether any Grant gives `right`; without `account_id`, for some Account."""
        return _gives(self.grants, workflow, right, account_id)

    @property
    def awake(self) -> "Person":
        """The same person once they rest no longer, which comes by itself."""
        return replace(self, is_resting=False) if self.is_resting else self

    @property
    def back(self) -> "Person":
        """The same person once the clock has ended their suspension, if it does."""
        return replace(self, is_active=True) if self.comes_back else self

    def may_initiate(self, workflow: Workflow, account_id: int | None = None) -> bool:
        """Whether they may ask for something of that workflow, and Account where it has one."""
        return self.is_active and self.is_verified and self.holds(workflow, Right.INITIATE, account_id)

    @property
    def holds_power(self) -> bool:
        """Whether they can do more than look, or soon could (DESIGN P4).

        By any Grant of Initiate, Approve or Execute, anywhere, or by power that is on its way to them.
        """
        return self.awaits_power or _give_power(self.grants)


@dataclass(frozen=True, slots=True)
class Key:
    """One credential of a bot. `custodians` are the persons who ever held its power (DESIGN R3).

    `is_live`: neither revoked nor expired. One that is paused does nothing either, but comes back (DESIGN §4).
    """

    key_id: int
    custodians: frozenset[int] = frozenset()
    is_live: bool = True
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class Bot:
    """A Service User. `asking` is the key through which it asks, once that is known."""

    service_user_id: int
    name: str
    account_id: int
    is_active: bool = True
    permissions: frozenset[str] = frozenset()
    keys: tuple[Key, ...] = ()
    asking: Key | None = None

    @property
    def holds_withdraw(self) -> bool:
        """Whether it is permitted to withdraw, with or without a key that could."""
        return WITHDRAW in self.permissions

    @property
    def may_withdraw(self) -> bool:
        """Whether it has a live key that could ask for a withdrawal."""
        return self.is_active and self.holds_withdraw and any(key.is_live for key in self.keys)

    @property
    def custodians(self) -> frozenset[int]:
        """Whom the rules bar from what it asks: the custodians of the asking key, or of every live one together."""
        if self.asking is not None:
            return self.asking.custodians
        return frozenset().union(*(key.custodians for key in self.keys if key.is_live))

    def through(self, key_id: int | None) -> "Bot":
        """The bot as it asks through that key; through one that is gone, whoever held any key is barred."""
        asking = next((key for key in self.keys if key.key_id == key_id), None)
        everybody = Key(key_id or 0, frozenset().union(*(key.custodians for key in self.keys)))
        return replace(self, asking=asking or everybody)

    def through_each(self) -> tuple["Bot", ...]:
        """The bot once for each of its live keys."""
        return tuple(replace(self, asking=key) for key in self.keys if key.is_live)


Initiator: TypeAlias = Person | Bot


@dataclass(frozen=True, slots=True)
class Terms:
    """A Policy as stored, believed only once `policy_of` has looked at it.

    Without `rules` it is the one rule that its number says (DESIGN P1, P7); None stands for rules that nobody can read.
    """

    workflow: str
    approvals: int
    always: bool
    open_hours: int
    is_locked: bool = False
    rules: tuple[Rule, ...] | None = ()

    @property
    def rule_set(self) -> tuple[Rule, ...]:
        """Its rules; of a policy of one number, the one that it is."""
        return self.rules or (plain_rule(self.approvals, always=self.always),)


class NotGathered(LookupError):
    """A rule asked for what nobody gathered: an answer without it would be wrong, so there is none."""


class _Unseen(Sequence[Bot]):
    """In place of bots that were not gathered. Whoever looks is told so, and never that there are none."""

    @overload
    def __getitem__(self, place: int) -> Bot: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Bot]: ...
    def __getitem__(self, place: int | slice) -> NoReturn:
        raise NotGathered("The bots of this Organization were not gathered.")

    def __len__(self) -> NoReturn:
        raise NotGathered("The bots of this Organization were not gathered.")


UNSEEN: Final = _Unseen()


class NamedAccounts(Mapping[int, str]):
    """In place of all Accounts those that were asked for, with `found` of them: of others nothing is known."""

    def __init__(self, asked: Collection[int], found: Mapping[int, str]) -> None:
        self._asked, self._found = frozenset(asked), found

    def __getitem__(self, account_id: int) -> str:
        if account_id not in self._asked:
            raise NotGathered("That Account was not gathered.")
        return self._found[account_id]

    def __contains__(self, account_id: object) -> bool:
        if account_id not in self._asked:
            raise NotGathered("That Account was not gathered.")
        return account_id in self._found

    def __iter__(self) -> NoReturn:
        raise NotGathered("The Accounts of this Organization were not gathered.")

    def __len__(self) -> NoReturn:
        raise NotGathered("The Accounts of this Organization were not gathered.")


@dataclass(frozen=True, slots=True)
class Facts:
    """One Organization as the rules see it.

    `bots` are those that hold Withdraw, with their live keys: dead ends and takeovers know no others. `askers` are
    those of whose requests something is asked, by primary key, with the keys through which they ask; None for one that
    is not of this Organization. `groups` are the groups of Members by primary key, with their names. `freezes` are
    those that run. `books`: what the addresses of each Account lead to, where that is known.
    """

    level: str
    accounts: Mapping[int, str] = field(default_factory=dict)
    people: tuple[Person, ...] = ()
    bots: Sequence[Bot] = ()
    policies: tuple[Terms, ...] = ()
    askers: Mapping[int, Bot | None] = field(default_factory=dict)
    groups: Mapping[int, str] = field(default_factory=dict)
    freezes: tuple[Frozen, ...] = ()
    books: Mapping[int, Collection[str]] | None = None
    _by_member: dict[int, Person] = field(default_factory=dict, init=False, repr=False, compare=False)
    # Goes along to what `replace` makes of these.
    _kept: dict[Hashable, tuple[tuple[object, ...], Any]] = field(default_factory=dict, repr=False, compare=False)

    def kept(self, name: Hashable, parts: tuple[object, ...], make: Callable[[], T]) -> T:
        """What `make` makes of these `parts` of the facts, and of nothing else but what is in `name`.

        Made once for them, and for whatever `replace` makes of them with the very same parts: what a change would do is
        asked of an Organization before and after it, several times over.
        """
        key = (name, *map(id, parts))
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            # The parts are kept along: else others could come to have their ids.
            found = self._kept[key] = parts, make()
        return cast("T", found[1])

    def person(self, member_id: int | None) -> Person | None:
        """The Member of that primary key, as the rules see them."""
        if not self._by_member:
            # A list asks for several people of each of its rows.
            self._by_member.update((person.member_id, person) for person in reversed(self.people))
        return None if member_id is None else self._by_member.get(member_id)

    def bot(self, service_user_id: int | None) -> Bot | None:
        """The Service User of that primary key, as the rules see it: who asks, or holds Withdraw.

        Raises: NotGathered if it does not ask, and others were not gathered.
        """
        if service_user_id is None or service_user_id in self.askers:
            return None if service_user_id is None else self.askers[service_user_id]
        return next((bot for bot in self.bots if bot.service_user_id == service_user_id), None)
