"""What a form can say before anything is asked: how many approvals it will take, and who could give them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from accounts.models import Member
from policies import snapshot as gathered
from policies.forecast import foresee
from policies.rules import Asked, is_locked
from policies.workflows import Right, Workflow
from portal.core.display.phrases import counted, listed


@dataclass(frozen=True, slots=True)
class Told:
    """The notice above the button: in place of who may approve it, also what follows."""

    title: str
    text: str
    waits: bool
    level: Literal["pen"] = "pen"


def forecast(
    member: Member,
    *,
    account_id: int | None,
    afterwards: str,
    subject: Member | None = None,
    accepted: bool = False,
    protected: bool = False,
    protected_if: str = "",
) -> Told:
    """What the form says; `afterwards` is what follows once it is approved, or at once.

    With `account_id` it also says what giving Withdraw would ask for on top; with `protected_if`, in which case a
    locked policy asks for more than it says first.

    Raises: Refused if a policy cannot be read.
    """
    facts = gathered.gather(member.organization)
    about = Asked(
        Workflow.MANAGE_ACCESS, gathered.initiator(facts, member), subject=subject.user_id if subject else None
    )
    least = 1 if accepted else 0
    given = frozenset() if account_id is None else frozenset({account_id})
    locked = is_locked(facts.policies)
    asked = replace(about, least=least, protected=protected and locked)
    plain = foresee(replace(asked, gives_withdraw=given) if protected else asked, facts)
    text = [f"{listed(plain.people) or 'Nobody'} can give {_them(plain.needed)}."] if plain.needed else []
    text.append(afterwards)
    money = foresee(replace(about, gives_withdraw=given), facts)
    if money.needs_voucher:
        text.append(
            "No policy governs withdrawals here, so a key that may withdraw needs an approval from who may execute "
            f"them: {listed(money.vouchers) or 'nobody who could decide'}."
        )
    if protected_if and not protected:
        raised = foresee(replace(asked, protected=locked), facts)
        if raised.needed > plain.needed:
            text.append(
                f"A policy is locked: {protected_if}, this needs {counted(raised.needed, 'approval')}, and "
                f"{listed(raised.people) or 'nobody'} can give {_them(raised.needed)}."
            )
    return Told(title=plain.title, text=" ".join(text), waits=not plain.at_once)


def gives_power(rights: Iterable[str]) -> bool:
    """Whether any of the boxes gives more than View (P4)."""
    return any(value.split(":")[1:2] != [Right.VIEW.value] for value in rights)


def _them(approvals: int) -> str:
    return "it" if approvals == 1 else "them"
