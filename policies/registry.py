"""Every governed operation: what it is called, what it takes, whom it concerns and how it is carried out."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar

from policies.workflows import Workflow
from portal.core.actors import Actor
from portal.core.discovered import Discovered
from portal.core.errors import DomainError

if TYPE_CHECKING:
    from policies.models import ChangeRequest
    from policies.rules import Bot, Facts, Initiator
    from policies.rules.language import Demand
    from policies.rules.lock_protection import Protection
    from portal.core.display.descriptions import Description

P = TypeVar("P")
P_contra = TypeVar("P_contra", contravariant=True)


class Underway:
    """What an operation answers that has only written what is to be done outside the database.

    Its request stays approved until `Done` says how that went (R8).
    """


class WentWrong(DomainError):
    """What was done outside the database has failed for certain: `Done` raises it, with the reason."""


class Run(Protocol[P_contra]):
    """A governed operation: keyword-only, typed, called by `policies.changes` and by nobody else."""

    @property
    def __name__(self) -> str: ...

    def __call__(self, *, actor: Actor, params: P_contra, change: "ChangeRequest") -> object:
        """Do it. What it answers is looked at only for whether it is `Underway`."""


# Writes what belongs to a new request, once that has its row.
Beside: TypeAlias = Callable[[], None]


class Opened(Protocol[P_contra]):
    """Looks at a new request and takes hold of what it will need; a DomainError refuses the request.

    The request has no row and no number yet: those are taken last, so that nobody waits for whom this waits for.
    """

    def __call__(self, *, actor: Actor, params: P_contra, change: "ChangeRequest") -> Beside | None:
        """What is to be written beside the request once it has its row, which then waits for nobody.

        Raises: DomainError where the request cannot be; then nobody is asked.
        """


class Ended(Protocol):
    """Gives back what `Opened` took, when a request ends otherwise than executed.

    It takes the request alone: what was taken stands in rows of its own, and the params may not be readable any more.
    """

    def __call__(self, *, change: "ChangeRequest") -> None:
        """Give back, in the transaction that ends the request."""


class Done(Protocol):
    """Whether what a request hands outside the database has happened, whatever became of the answer.

    Read from rows of its own, never from the params. Not happened, it may be begun again.
    """

    def __call__(self, *, change: "ChangeRequest") -> bool:
        """Whether it has happened. Raises: Unavailable while nobody can say; WentWrong if it never will."""


class Touches(Protocol[P_contra]):
    """The fields that a request would write, as they are now. Reads only, and bears params nobody has checked yet."""

    def __call__(self, *, params: P_contra, change: "ChangeRequest") -> "tuple[Touched, ...]":
        """Each field with its value now and the one it would get."""


@dataclass(frozen=True, slots=True)
class Touched:
    """One field that a request would write: its name, what it is now and what is wanted, in words (R6).

    `mark` is compared in place of `now` where the same words can mean something else, or other words the same.
    """

    name: str
    now: str
    wanted: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Headline:
    """How lists name a request; `amount` as digits, with its `asset` beside it."""

    title: str
    amount: str = ""
    asset: str = ""


class Unregistered(LookupError):
    """There is no operation of this name; the app that had it may be gone."""


def nothing(_params: object) -> None:
    """For operations without Account or subject member."""


def no_account(_params: object) -> tuple[int, ...]:
    """For operations that give no key Withdraw."""
    return ()


def unprotected(_params: object, _facts: "Facts") -> bool:
    """For operations that give nobody power (P4)."""
    return False


def concerns_nobody_else(_params: object) -> tuple[int, ...]:
    """For operations that are about one Member, or about none."""
    return ()


def takes_nothing(_params: object) -> bool:
    """For operations that do more than take power away (R5)."""
    return False


def frees_nothing(_params: object, _facts: "Facts") -> "tuple[Bot, ...]":
    """For operations after which no key withdraws at once that did not before."""
    return ()


def no_least(_params: object, _facts: "Facts", _initiator: "Initiator") -> int:
    """For operations whose number the policies alone say."""
    return 0


def of_no_group(_params: object) -> tuple[tuple[int, int], ...]:
    """For operations that ask for the approval of nobody in particular."""
    return ()


def gives_nothing_again(_change: "ChangeRequest") -> bool:
    """For operations that give no name to what bots send to."""
    return False


def no_reason(_change: "ChangeRequest") -> str:
    """For operations that expire without more to say about it."""
    return ""


def takes_all(_params: object) -> bool:
    """For operations that only take power away (R5)."""
    return True


def always_protected(_params: object, _facts: "Facts") -> bool:
    """For operations that P4 names without a condition."""
    return True


def untouched(*, params: object, change: "ChangeRequest") -> tuple[Touched, ...]:
    """For operations that write over nothing."""
    return ()


def unchanged(params: P, _change: "ChangeRequest") -> P:
    """For operations whose params say nothing of what was so before."""
    return params


def not_given(*, actor: Actor, params: object, change: "ChangeRequest") -> object:
    """What an operation runs before its decorator has met a function. Raises: Unregistered."""
    raise Unregistered(change.operation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[P]):
    """One governed operation, and the decorator that registers the function below it as its `run`.

    `account`, `subject` and `headline` read the params. `subject` names the thing that is changed: only one request
    about it may be open for each initiator; empty for a withdrawal. `subject_member` is the Member whom the change is
    about, and `concerns` names them where they may be several. `money` asks for a Decision whose proof is bound to it,
    and lets any number be open. `shifts_power` says that it can bring about a dead end (P5). `permission` is what a key
    needs to ask for it; without one no key may. `gives_withdraw` names the Accounts from which keys would gain
    Withdraw. With `approvers_ask` whoever holds Approve may ask for it too, and with `alone` whoever may ask finishes
    it alone, but for its `least` and `of_groups`. With `accepted` its subject has to accept it once it is approved
    (O3). `protection` is its row in the table of what a lock protects (P4), None for what no lock holds; `protected`
    says whether that row's case is given, from its params and the facts. `takes_power`: it only takes power away, so
    that one rejection does not end it (R5). `frees` names the bots that would withdraw at once afterwards, `least` how
    many approvals it takes whatever its policy says (P3), `of_groups` how many of these groups there have to be among
    those, and `gives_again` whether a name would lead elsewhere than it once did, seen from the fields that the request
    touches (P2). `reaches` names the Organizations whose histories it writes besides its own. `touches` says what it
    would write: when that is not any more what it was, the request is stale (R6). `done` says of work outside the
    database whether it has happened, whatever became of the answer, and notes how; what it says yes to is executed in
    the same transaction, and what has gone wrong for certain ends failed. `unfinished` says why it expired, where there
    is more to say than that it did. `renewed` gives the params with which it is asked again, seen from what is so.
    `barred` says why nobody may agree to it as things stand, or nothing; it waits meanwhile, and can be rejected or
    taken back. `weighs_bots`: its `protected` or `frees` look at bots besides who asks. `measured`: rules look at its
    amount, and at where that goes. `destination` is where money would go, as freezes tell such places apart; with
    `defies_freezes` none stops it. With `every_account` it may be asked of all Accounts together, where rights name
    one; with `any_account` by and of whoever holds the right for any of them. `reads_ahead`: reads at once, for a page,
    what the above would read for each of many requests, `describes_ahead` what `describe` would. `tells`: it writes to
    those concerned itself, so nobody else has to when it was done alone. `moves_power`: others are told of that.
    """

    key: str = field(kw_only=False)
    title: str
    workflow: Workflow
    params: type[P]
    headline: Callable[[P], Headline]
    describe: "Callable[[ChangeRequest], Description]"
    account: Callable[[P], int | None] = nothing
    subject: Callable[[P], str] = lambda _params: ""
    subject_member: Callable[[P], int | None] = nothing
    concerns: Callable[[P], Collection[int]] = concerns_nobody_else
    opened: Opened[P] | None = None
    ended: Ended | None = None
    done: Done | None = None
    unfinished: "Callable[[ChangeRequest], str]" = no_reason
    gives_withdraw: Callable[[P], Collection[int]] = no_account
    money: bool = False
    shifts_power: bool = True
    permission: str = ""
    approvers_ask: bool = False
    alone: bool = False
    accepted: bool = False
    protection: "Protection | None" = None
    protected: "Callable[[P, Facts], bool]" = unprotected
    moves_power: "Callable[[P, Facts], bool]" = unprotected
    takes_power: Callable[[P], bool] = takes_nothing
    frees: "Callable[[P, Facts], tuple[Bot, ...]]" = frees_nothing
    least: "Callable[[P, Facts, Initiator], Demand | int]" = no_least
    of_groups: Callable[[P], tuple[tuple[int, int], ...]] = of_no_group
    gives_again: "Callable[[ChangeRequest], bool]" = gives_nothing_again
    reaches: Callable[[P], tuple[int, ...]] = lambda _params: ()
    touches: Touches[P] = untouched
    renewed: "Callable[[P, ChangeRequest], P]" = unchanged
    barred: "Callable[[ChangeRequest], str]" = lambda _change: ""
    weighs_bots: bool = False
    measured: bool = False
    destination: Callable[[P], str] = lambda _params: ""
    defies_freezes: bool = False
    every_account: bool = False
    any_account: bool = False
    reads_ahead: "Callable[[Sequence[P]], None] | None" = None
    describes_ahead: "Callable[[Sequence[ChangeRequest]], None] | None" = None
    tells: bool = False
    run: Run[P] = not_given

    def __call__(self, run: Run[P]) -> Run[P]:
        """Register `run` as what carries this operation out."""
        known = _by_key.get(self.key)
        if known is not None and known.run.__name__ != run.__name__:
            raise ValueError(f"Two operations are called {self.key!r}.")
        _by_key[self.key] = _by_run[run] = replace(self, run=run)
        return run


operation = Operation
_by_key: Discovered[Operation[Any]] = Discovered("operations")
_by_run: dict[object, Operation[Any]] = {}


def get(key: str) -> Operation[Any]:
    """The operation stored under `key`.

    Raises: Unregistered.
    """
    try:
        return _by_key[key]
    except KeyError:
        raise Unregistered(key) from None


def of(run: Run[P]) -> Operation[P]:
    """The entry of an operation's function."""
    try:
        return _by_run[run]
    except KeyError:
        raise Unregistered(getattr(run, "__name__", repr(run))) from None


def all_operations() -> tuple[Operation[Any], ...]:
    """Every operation, by key."""
    _by_key.load()
    return tuple(_by_key[key] for key in sorted(_by_key))
