"""Settling a withdrawal that nobody knows of: one person says what became of it, another one agrees (DESIGN V2)."""

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from django.db import transaction

from policies.registry import Headline, Touched, operation
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.money import from_units, plain
from portal.venues.kraken.models import Step, Withdrawal
from portal.venues.kraken.settle import wording
from portal.venues.kraken.settle.params import Outcome, Settle
from portal.venues.kraken.withdrawal_rows import REFID_LENGTH
from portal.venues.kraken.withdrawals import finding, outcomes, tending

if TYPE_CHECKING:
    from policies.models import ChangeRequest

REFID: Final = re.compile(rf"[A-Za-z0-9-]{{1,{REFID_LENGTH}}}", re.ASCII)
NOT_UNKNOWN: Final = "It is known by now what became of this withdrawal."
NO_REFID: Final = "Write the reference that the exchange gave it, as it stands there."
NOT_WANTED: Final = "A reference belongs only to what went out."
TAKEN: Final = "That reference belongs to another withdrawal."
GIVEN_UP: Final = "It did not go out, say {asked} and who agreed, and it was given up."


def check(*, actor: Actor, params: Settle, change: "ChangeRequest") -> None:
    """Raises: NotFound for no such withdrawal; Conflict if it is known by now; Invalid for a reference that is none."""
    row = Withdrawal.objects.filter(reference=params.reference, account=params.account_id).first()
    if row is None:
        raise NotFound("There is no such withdrawal.")
    if row.step != Step.UNKNOWN:
        raise Conflict(NOT_UNKNOWN)
    if params.outcome is not Outcome.WENT_OUT:
        if params.refid:
            raise Invalid(NOT_WANTED, field="refid")
        return
    if not REFID.fullmatch(params.refid):
        raise Invalid(NO_REFID, field="refid")
    if finding.known_refids([params.refid], but=row.pk):
        raise Invalid(TAKEN, field="refid")


def touched(*, params: Settle, change: "ChangeRequest") -> tuple[Touched, ...]:
    """How far it has got: once that is known, nobody needs to say it any more."""
    row = Withdrawal.objects.filter(reference=params.reference, account=params.account_id).first()
    if row is None:
        return ()
    now = Step(row.step).label
    return (Touched("Withdrawal", now, wording.WORDS[params.outcome], mark=f"{row.step} {row.attempts}"),)


def barred(change: "ChangeRequest") -> str:
    """Why nobody may agree to it: the exchange has said meanwhile what became of it."""
    row = wording.withdrawal_of(change)
    return "" if row is None or row.step == Step.UNKNOWN else NOT_UNKNOWN


@operation(
    "kraken.settle_withdrawal",
    title="Settle an unknown withdrawal",
    workflow=Workflow.INITIATE_WITHDRAWAL,
    params=Settle,
    account=lambda params: params.account_id,
    headline=lambda params: Headline(f"Settle the withdrawal {params.reference}"),
    describe=wording.settlement,
    opened=check,
    touches=touched,
    barred=barred,
    least=lambda _params, _facts, _initiator: 1,
    money=True,
    shifts_power=False,
)
def settle_withdrawal(*, actor: Actor, params: Settle, change: "ChangeRequest") -> Withdrawal:
    """Write what they say, unless a look has found it meanwhile; sent again it is a new attempt under a new nonce.

    Raises: as `check`.
    """
    check(actor=actor, params=params, change=change)
    pk = Withdrawal.objects.values_list("pk", flat=True).get(reference=params.reference)
    if params.outcome is Outcome.WENT_OUT:
        is_settled = outcomes.said_to_have_gone(pk, params.refid)
    elif params.outcome is Outcome.SEND_AGAIN:
        is_settled = outcomes.said_to_be_sent_again(pk)
    else:
        is_settled = outcomes.said_to_be_given_up(pk, GIVEN_UP.format(asked=change.initiator_label))
    if not is_settled:
        raise Conflict(NOT_UNKNOWN)
    row = Withdrawal.objects.get(pk=pk)
    record(
        EventKind.WITHDRAWAL_SETTLED,
        actor=actor,
        subject=row,
        organization_id=change.organization_id,
        workflow=Workflow.INITIATE_WITHDRAWAL,
        account_id=params.account_id,
        asset=row.asset,
        amount=plain(from_units(row.amount_units, row.decimals)),
        key=row.key,
        address=row.address,
        outcome_said=params.outcome.value,
        refid=params.refid,
        change=row.request,
    )
    # What was asked for is ended by its own request, which this one's lock would hold up.
    transaction.on_commit(partial(tending.settle, row))
    return row
