"""Asking anew for what has ended without being executed (DESIGN R8): another request, linked to the first."""

from typing import TYPE_CHECKING

from django.db import transaction

from policies import readability
from policies.changes import transitions
from policies.changes.decisions import ALTERED
from policies.changes.proposals import propose
from policies.models import OPEN_STATES, ChangeRequest, State
from portal.core.errors import Conflict, Refused
from portal.core.web.http import Proof, refuse_sending_unproved

if TYPE_CHECKING:
    from accounts.models import Member


def ask_again(reference: str, *, member: "Member", note: str = "", proof: Proof | None = None) -> ChangeRequest:
    """Ask once more for the same, as it stands now, through the same door as the first time.

    Each request is asked again once: whoever presses twice has asked once. Money that goes out at once takes a second
    factor that was shown for exactly this (security SU-2).

    Raises: NotFound outside the member's Organization; Refused for anybody but who asked, for an altered one, and for
    money without such a `proof`; Conflict if it is open, was executed, or was asked again already; and what `propose`
    raises.
    """
    with transaction.atomic():
        change = transitions.locked(reference, organization_id=member.organization_id)
        if change.is_past_its_time:
            transitions.expire_now(change)
        bar = bar_to_asking_again(change, member)
        if bar is not None:
            raise bar
        if not transitions.is_intact(change):
            raise Refused(ALTERED)
        read = readability.read(change)
        if isinstance(read, str):
            raise Conflict(read)
        params = read.entry.renewed(read.params, change)
        anew = propose(read.entry.run, actor=member, params=params, note=note or change.note, asked_again_from=change)
        # What is only underway has left our hands as well.
        if read.entry.money and anew.state != State.PENDING:
            refuse_sending_unproved(proof, change.reference, change.digest)
    return anew


def can_ask_again(change: ChangeRequest, member: "Member") -> bool:
    """Whether `member` may ask for this again now, for the page."""
    return bar_to_asking_again(change, member) is None


def bar_to_asking_again(change: ChangeRequest, member: "Member") -> Refused | Conflict | None:
    """Why `member` may not ask for this again, or None."""
    if change.member_id != member.pk:
        return Refused("Only who asked for this can ask again.")
    if change.shown_state in (*OPEN_STATES, State.EXECUTED):
        return Conflict(f"This request is {change.shown_state.label.lower()}; there is nothing to ask again.")
    later = ChangeRequest.objects.filter(asked_again_from=change).values_list("number", flat=True).first()
    if later is not None:
        return Conflict(f"This was asked again already, as request {later}.")
    return None
