"""The whole vocabulary of rights: four workflows, four rights (DESIGN §4)."""

from enum import StrEnum


class Workflow(StrEnum):
    """One of four governed areas."""

    MANAGE_ACCESS = "manage_access"
    MANAGE_POLICIES = "manage_policies"
    MANAGE_ADDRESSES = "manage_addresses"
    INITIATE_WITHDRAWAL = "initiate_withdrawal"

    @property
    def title(self) -> str:  # type: ignore[override] # nobody capitalizes an identifier
        """As pages call it: `Manage Access`."""
        return self.value.replace("_", " ").title()

    @property
    def by_account(self) -> bool:
        """Whether rights on it name one Account or all (DESIGN O5)."""
        return self in (Workflow.MANAGE_ADDRESSES, Workflow.INITIATE_WITHDRAWAL)


class Right(StrEnum):
    """What a Member may do in a workflow. Each of the last three implies View; Execute implies Initiate."""

    VIEW = "view"
    INITIATE = "initiate"
    APPROVE = "approve"
    EXECUTE = "execute"

    @property
    def title(self) -> str:  # type: ignore[override] # nobody capitalizes an identifier
        """As pages call it: `Initiate`."""
        return self.value.title()

    @property
    def given_by(self) -> frozenset["Right"]:
        """The rights that open this one: itself, and those that imply it."""
        return _GIVEN_BY[self]


_GIVEN_BY = {
    Right.VIEW: frozenset(Right),
    Right.INITIATE: frozenset({Right.INITIATE, Right.EXECUTE}),
    Right.APPROVE: frozenset({Right.APPROVE}),
    Right.EXECUTE: frozenset({Right.EXECUTE}),
}
