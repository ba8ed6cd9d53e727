"""What a form can say before anything is asked: how many approvals it will take, and who could give them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from accounts.models import Member
from policies import snapshot as gathered
from policies.rules import Asked, approvals_needed, eligible, is_locked, may_vouch
from policies.workflows import Right, Workflow
from portal.core.display.phrases import counted, listed


@dataclass(frozen=True, slots=True)
class Outlook:
    """`approvals` is 0 when it runs at once. `vouchers` is who could answer for Withdraw, where that is asked for."""

    approvals: int
    approvers: tuple[str, ...]
    needs_voucher: bool
    vouchers: tuple[str, ...]


def outlook(
    member: Member,
    *,
    gives_withdraw: int | None = None,
    subject: Member | None = None,
    accepted: bool = False,
    protected: bool = False,
) -> Outlook:
    """How a request of `member` on Manage Access would go, as things stand.

    `subject` is whom it would be about; with `accepted` that member has to accept it afterwards. `protected`: it would
    be one of the changes that a locked policy protects (DESIGN P4).

    Raises: Refused if the policy cannot be read.
    """
    facts = gathered.gather(member.organization)
    initiator = gathered.initiator(facts, member)
    given = frozenset() if gives_withdraw is None else frozenset({gives_withdraw})
    asked = Asked(workflow=Workflow.MANAGE_ACCESS, initiator=initiator, gives_withdraw=given)
    asked = replace(asked, subject=subject.user_id if subject else None, least=1 if accepted else 0)
    asked = replace(asked, protected=protected and is_locked(facts.policies))
    need = approvals_needed(asked, facts.policies)
    able = eligible(asked, facts)
    return Outlook(
        approvals=need.approvals,
        approvers=tuple(person.name for person in able),
        needs_voucher=need.voucher,
        vouchers=tuple(person.name for person in able if need.voucher and may_vouch(person, asked)),
    )


@dataclass(frozen=True, slots=True)
class Forecast:
    """The notice above the button."""

    title: str
    text: str
    waits: bool


def forecast(
    member: Member,
    *,
    account_id: int | None,
    afterwards: str,
    subject: Member | None = None,
    accepted: bool = False,
    protected: bool = False,
    protected_if: str = "",
) -> Forecast:
    """What the form says; `afterwards` is what follows once it is approved, or at once.

    With `account_id` it also says what giving Withdraw would ask for on top; with `protected_if`, in which case a
    locked policy asks for more than it says first.

    Raises: Refused if a policy cannot be read.
    """
    given = account_id if protected else None
    plain = outlook(member, subject=subject, accepted=accepted, protected=protected, gives_withdraw=given)
    text = [f"{listed(plain.approvers) or 'Nobody'} can give {_them(plain.approvals)}."] if plain.approvals else []
    text.append(afterwards)
    money = outlook(member, gives_withdraw=account_id, subject=subject)
    if money.needs_voucher:
        text.append(
            "No policy governs withdrawals here, so a key that may withdraw needs an approval from who may execute "
            f"them: {listed(money.vouchers) or 'nobody who could decide'}."
        )
    if protected_if and not protected:
        raised = outlook(member, subject=subject, accepted=accepted, protected=True)
        if raised.approvals > plain.approvals:
            text.append(
                f"A policy is locked: {protected_if}, this needs {counted(raised.approvals, 'approval')}, and "
                f"{listed(raised.approvers) or 'nobody'} can give {_them(raised.approvals)}."
            )
    title = (
        f"This will wait for {counted(plain.approvals, 'approval')}." if plain.approvals else "This happens at once."
    )
    return Forecast(title=title, text=" ".join(text), waits=plain.approvals > 0)


def gives_power(rights: Iterable[str]) -> bool:
    """Whether any of the boxes gives more than View (P4)."""
    return any(value.split(":")[1:2] != [Right.VIEW.value] for value in rights)


def _them(approvals: int) -> str:
    return "it" if approvals == 1 else "them"
