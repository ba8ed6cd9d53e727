"""Rights in a form: a box for each workflow, right and Account."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django import forms

from accounts.grants import Given
from accounts.models import Account, Organization
from policies.workflows import Right, Workflow

MEANING: Final = {
    Right.VIEW: "see it",
    Right.INITIATE: "ask for it",
    Right.APPROVE: "agree to what others ask",
    Right.EXECUTE: "do it alone, where no policy asks for more",
}


@dataclass(frozen=True, slots=True)
class Box:
    value: str
    label: str
    right: str
    is_checked: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the matrix: a workflow, for all Accounts or for one."""

    title: str
    account: str
    boxes: tuple[Box, ...]


class RightsField(forms.MultipleChoiceField):
    """Any number of rights; cleaned, they are a tuple of `Given` in the order of the matrix."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", "Rights")
        super().__init__(required=False, widget=forms.CheckboxSelectMultiple, **kwargs)
        self.accounts: list[Account] = []

    def offer(self, organization: Organization) -> None:
        """Offer every right there is in that Organization, and no other's Accounts (security AZ-3)."""
        self.accounts = list(Account.objects.filter(organization=organization).order_by("pk"))
        self.choices = [(written(given), written(given)) for given in _all(self.accounts)]

    def clean(self, value: Any) -> tuple[Given, ...]:  # noqa: ANN401 - Django's own signature
        """Typed rights instead of Django's texts, always in the order of the matrix."""
        chosen = set(super().clean(value))
        return tuple(given for given in _all(self.accounts) if written(given) in chosen)


def written(given: Given) -> str:
    """A right as the value of its box: `manage_access:view`, or with the Account at the end."""
    account = f":{given.account_id}" if given.account_id is not None else ""
    return f"{given.workflow.value}:{given.right.value}{account}"


def matrix(field: forms.BoundField) -> Iterator[Line]:
    """The boxes of a RightsField line by line, as they are ticked now."""
    if not isinstance(field.field, RightsField):
        raise TypeError("A matrix is made of a RightsField.")
    ticked = {str(value) for value in field.value() or ()}
    for workflow, account in _lines(field.field.accounts):
        yield Line(
            title=workflow.title,
            account=account.name if account else "All Accounts" if workflow.by_account else "",
            boxes=tuple(
                Box(
                    value,
                    _named(right, workflow, account),
                    right.value,
                    value in ticked,
                )
                for right in Right
                for value in [written(Given(workflow, right, account.pk if account else None))]
            ),
        )


def _named(right: Right, workflow: Workflow, account: Account | None) -> str:
    return f"{right.title} on {workflow.title}" + (f", {account}" if account else "")


def _lines(accounts: list[Account]) -> Iterator[tuple[Workflow, Account | None]]:
    for workflow in Workflow:
        yield workflow, None
        if workflow.by_account and len(accounts) > 1:
            yield from ((workflow, account) for account in accounts)


def _all(accounts: list[Account]) -> Iterable[Given]:
    return [
        Given(workflow, right, account.pk if account else None)
        for workflow, account in _lines(accounts)
        for right in Right
    ]
