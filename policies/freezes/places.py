"""What can be frozen: a workflow, an Account of it, or one destination of withdrawals; and by whom (DESIGN §4)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from policies.access import allows
from policies.rules import EVERY_ACCOUNT
from policies.workflows import Right, Workflow
from portal.core.errors import NotFound

if TYPE_CHECKING:
    from accounts.models import Member


@dataclass(frozen=True, slots=True)
class Place:
    """Without `account_id` all Accounts are meant, where there are any. `destination` is told apart by who knows them.

    `account` and `name` are what people call the Account and the destination.
    """

    workflow: Workflow
    account_id: int | None = None
    account: str = ""
    destination: str = ""
    name: str = ""

    @property
    def label(self) -> str:
        """As pages, mails and the history call it."""
        of = " from " if self.workflow is Workflow.INITIATE_WITHDRAWAL else " of "
        return "".join(
            (
                self.workflow.title,
                f"{of}{self.account}" if self.account else "",
                f" to {self.name}" if self.name else "",
            )
        )


# The mark by which a destination is told apart, of the address that an Account's book has under that name; or None.
FindsDestination = Callable[[int, str], str | None]
_finders: list[FindsDestination] = []


def tells_destinations(finds: FindsDestination) -> FindsDestination:
    """Have `finds` say where a name leads: whoever keeps addresses says so once, as its operations are loaded."""
    _finders[:] = [finds]
    return finds


def with_destination(place: Place, name: str) -> Place:
    """One destination of that Account, by its name in the book.

    Raises: NotFound, beside `address`, if the Account has none of that name.
    """
    if place.workflow is not Workflow.INITIATE_WITHDRAWAL or place.account_id is None:
        raise NotFound("Choose withdrawals from one Account to freeze an address of it.", field="address")
    marks = (finds(place.account_id, name) for finds in _finders)
    mark = next((mark for mark in marks if mark), None)
    if mark is None:
        raise NotFound(f"{place.account} has no address of that name.", field="address")
    return replace(place, destination=mark, name=name)


def right_there(member: "Member", right: Right, workflow: Workflow, account_id: int | None) -> bool:
    """Whether they hold `right` there: for that Account, or for all of them where none is named."""
    named = EVERY_ACCOUNT if workflow.by_account and account_id is None else account_id
    return allows(member, workflow, right, named)


def open_to(member: "Member") -> list[Place]:
    """What `member` may freeze, each workflow with its Accounts behind it."""
    accounts = list(member.organization.accounts.order_by("name").values_list("pk", "name"))
    found = []
    for workflow in Workflow:
        places = [Place(workflow)]
        if workflow.by_account:
            places += [Place(workflow, pk, name) for pk, name in accounts]
        found += [place for place in places if right_there(member, Right.INITIATE, workflow, place.account_id)]
    return found
