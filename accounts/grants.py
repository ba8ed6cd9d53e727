"""The rights of a Member as one value: each given once, in the order of the pages, and said in one way."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from accounts.models import Account, Member
from policies.models import Grant
from policies.workflows import Right, Workflow
from portal.core.database.one_reading import once
from portal.core.errors import Invalid
from portal.core.secrets.sealing import digest

# A right as requests and invitations keep it: workflow, right, and Account or None for all of them.
Written: TypeAlias = tuple[str, str, int | None]


@dataclass(frozen=True, slots=True)
class Given:
    """One right; `account_id` None is for all Accounts."""

    workflow: Workflow
    right: Right
    account_id: int | None = None

    @property
    def written(self) -> Written:
        """It as requests and invitations keep it."""
        return (self.workflow.value, self.right.value, self.account_id)


Rights = tuple[Given, ...]
WORKFLOWS: Final = tuple(Workflow)
RIGHTS: Final = tuple(Right)
ALL: Final = ", ".join(right.title for right in Right)
GONE: Final = "an Account that is gone"


def of(member: Member) -> Rights:
    """What is written for `member` now."""
    return ordered(read(Grant.objects.filter(member=member).values_list("workflow", "right", "account_id")))


def read(written: Iterable[Written]) -> Rights:
    """Rights as they are kept somewhere, in that order. Raises: ValueError for one that there is not."""
    return tuple(Given(Workflow(workflow), Right(right), account_id) for workflow, right, account_id in written)


def known(written: Iterable[Written]) -> Rights:
    """The same without those that there are not: what somebody altered in the database gives nothing, and is shown."""
    return read(one for one in written if one[0] in set(Workflow) and one[1] in set(Right))


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


def give_power(rights: Iterable[Given]) -> bool:
    """Whether any of these does more than look (P4)."""
    return any(one.right is not Right.VIEW for one in rights)


def in_words(rights: Iterable[Given], accounts: Mapping[int, str]) -> tuple[str, ...]:
    """Rights as a reader takes them in: the same everywhere is said once. `accounts` are names by primary key."""
    lines = by_workflow(rights, accounts)
    said = {words for _, words in lines}
    if len(lines) == len(Workflow) and len(said) == 1:
        (same,) = said
        return (f"{'All rights' if same == ALL else same} everywhere",)
    return tuple(f"{title}: {words}" for title, words in lines)


def by_workflow(rights: Iterable[Given], accounts: Mapping[int, str]) -> tuple[tuple[str, str], ...]:
    """The same workflow by workflow: `("Initiate Withdrawal", "View; Initiate, Approve on Main")`."""
    held = tuple(rights)
    lines = ((workflow, words(held, workflow, accounts)) for workflow in Workflow)
    return tuple((workflow.title, said) for workflow, said in lines if said)


def words(rights: Iterable[Given], workflow: Workflow, accounts: Mapping[int, str]) -> str:
    """What `rights` say of one workflow, for all Accounts first: `View; Initiate on Main`. May be empty."""
    found: dict[str, set[Right]] = defaultdict(set)
    for one in rights:
        if one.workflow is workflow:
            found["" if one.account_id is None else accounts.get(one.account_id, GONE)].add(one.right)
    return "; ".join(
        ", ".join(right.title for right in Right if right in held) + (f" on {account}" if account else "")
        for account, held in sorted(found.items())
    )


def account_names(organization_id: int) -> dict[int, str]:
    """The names of all Accounts, by primary key; a page reads them once."""
    rows = Account.objects.filter(organization=organization_id)
    return once(("account names", organization_id), lambda: dict(rows.values_list("pk", "name")))


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
