"""The rights of a Member as one value: each given once, in the order of the pages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from accounts.models import Account, Member
from policies.models import Grant
from policies.workflows import Right, Workflow
from portal.core.errors import Invalid
from portal.core.secrets.sealing import digest


@dataclass(frozen=True, slots=True)
class Given:
    """One right; `account_id` None is for all Accounts."""

    workflow: Workflow
    right: Right
    account_id: int | None = None


Rights = tuple[Given, ...]
WORKFLOWS: Final = tuple(Workflow)
RIGHTS: Final = tuple(Right)


def of(member: Member) -> Rights:
    """What is written for `member` now."""
    rows = Grant.objects.filter(member=member).values_list("workflow", "right", "account_id")
    return ordered(Given(Workflow(workflow), Right(right), account_id) for workflow, right, account_id in rows)


def from_form(chosen: Iterable[tuple[str, str, int | None]]) -> Rights:
    """The boxes that were ticked, as one value."""
    return ordered(Given(Workflow(workflow), Right(right), account_id) for workflow, right, account_id in chosen)


def everything() -> Rights:
    """What an Owner holds."""
    return tuple(Given(workflow, right) for workflow in Workflow for right in Right)


def ordered(given: Iterable[Given]) -> Rights:
    """Each right once, in the order of the pages; one for a single Account is dropped where all have it."""
    wanted = set(given)
    kept = {one for one in wanted if one.account_id is None or Given(one.workflow, one.right) not in wanted}
    return tuple(sorted(kept, key=_place))


def check(rights: Rights, *, organization_id: int) -> None:
    """Raises: Invalid for an Account of somebody else, an Account where rights name none, or rights out of order."""
    if rights != ordered(rights):
        raise Invalid("Name each right once, in their order.", field="rights")
    if any(one.account_id is not None and not one.workflow.by_account for one in rights):
        raise Invalid("Only rights on addresses and withdrawals name an Account.", field="rights")
    named = {one.account_id for one in rights if one.account_id is not None}
    if Account.objects.filter(organization_id=organization_id, pk__in=named).count() != len(named):
        raise Invalid("There is no such Account.", field="rights")


def give(member: Member, rights: Rights) -> None:
    """Write exactly these rights for `member`. Runs in the caller's transaction, which records it."""
    Grant.objects.filter(member=member).delete()
    Grant.objects.bulk_create(
        Grant(member=member, workflow=one.workflow.value, right=one.right.value, account_id=one.account_id)
        for one in rights
    )


def fingerprint(rights: Rights) -> str:
    """A short text that is the same for the same rights, so that a form can say which ones it was filled from."""
    return digest(repr([(one.workflow.value, one.right.value, one.account_id) for one in rights]))


def gained(before: Rights, after: Rights) -> Rights:
    """What `after` gives that `before` did not, also by another right."""
    return tuple(one for one in after if not _opens(before, one))


def in_words(rights: Rights, accounts: Mapping[int, str]) -> tuple[str, ...]:
    """Rights as a reader takes them in: the same everywhere is said once. `accounts` are names by primary key."""
    by_workflow = {
        workflow: tuple(words(one, accounts) for one in rights if one.workflow is workflow) for workflow in Workflow
    }
    different = set(by_workflow.values())
    if different == {()}:
        return ()
    if len(different) == 1:
        (same,) = different
        return (f"{'All rights' if len(same) == len(Right) else ', '.join(same)} everywhere",)
    return tuple(f"{workflow.title}: {', '.join(named)}" for workflow, named in by_workflow.items() if named)


def words(one: Given, accounts: Mapping[int, str]) -> str:
    """`Initiate`, or `Initiate on Main` where it names an Account."""
    if one.account_id is None:
        return one.right.title
    return f"{one.right.title} on {accounts.get(one.account_id, '?')}"


def names(*rights: Rights) -> dict[int, str]:
    """The names, by primary key, of the Accounts that these rights name."""
    named = {one.account_id for held in rights for one in held if one.account_id is not None}
    return dict(Account.objects.filter(pk__in=named).values_list("pk", "name"))


def _opens(held: Rights, wanted: Given) -> bool:
    return any(
        one.workflow is wanted.workflow
        and one.right in wanted.right.given_by
        and one.account_id in (None, wanted.account_id)
        for one in held
    )


def _place(one: Given) -> tuple[int, int, int]:
    return (WORKFLOWS.index(one.workflow), one.account_id or 0, RIGHTS.index(one.right))
