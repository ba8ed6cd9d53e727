"""One request: what it would do, who decides, and deciding."""

from collections import Counter
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from policies import changes, freezes, readability
from policies import snapshot as gathering
from policies.access import open_to_members
from policies.changes.transitions import is_intact
from policies.forms.requests import CancelForm, DecideForm
from policies.inbox import queues
from policies.models import ChangeRequest, State
from policies.progress import Standing, stand
from policies.views.descriptions import agreed, described, protection
from policies.views.next_request import beside, opened_from
from policies.views.rows import named
from policies.views.timeline import progress, steps
from portal.core.display import markup
from portal.core.display.descriptions import Notice
from portal.core.display.phrases import counted, dated
from portal.core.errors import Conflict, DomainError
from portal.core.web.http import MemberRequest

REASON_SHOWN = 500
# As many who cannot decide are listed without a fold.
FEW: Final = 5
GOES_ON = "It only takes power away, so it goes on until too few are left to approve it."
ALTERED = Notice(
    "stop",
    "This request was altered after it was asked.",
    "It is not what its digest says any more, so it does not go through. Tell the operator.",
)


@require_safe
@open_to_members("who may look at it is asked of the request itself")
def request_page(request: MemberRequest, reference: str) -> HttpResponse:
    """The request in plain words, with the panel to decide or the reason why not."""
    return _page(request, found(request, reference))


@require_POST
@open_to_members("who may decide is asked of the request itself, under its lock")
def decide(request: MemberRequest, reference: str) -> HttpResponse:
    """A yes or a no, with a second factor."""
    change = found(request, reference)
    standing = _standing(request, change)
    if not standing.can_decide:
        messages.error(request, _kept(_refused(request, change, standing), request))
        return _back(request, reference)
    form = DecideForm(request.POST, step_up=request.step_up, change=change)
    if form.is_valid():
        try:
            decided = changes.decide(
                reference,
                member=request.member,
                approved=form.is_approval,
                digest=form.cleaned_data["digest"],
                proof=form.proof,
                reason=form.cleaned_data["reason"],
            )
        except Conflict as error:
            messages.error(request, _kept(error.message, request))
            return _back(request, reference)
        except DomainError as error:
            form.refuse(error)
        else:
            _tell(request, decided, approved=form.is_approval)
            return _back(request, reference)
    return _page(request, change, decide_form=form)


def _refused(request: MemberRequest, change: ChangeRequest, standing: Standing) -> str:
    """Why they cannot decide. Who may not is refused by the operation, which remembers it; who is late is only told."""
    if standing.is_barred and change.state == State.PENDING and not (standing.has_decided or change.is_past_its_time):
        try:
            changes.decide(change.reference, member=request.member, approved=False, digest=change.digest, proof=None)
        except DomainError as error:
            return error.message
    return f"You cannot decide this: {standing.why_not}."


@require_POST
@open_to_members("who may take it back is asked of the request itself, under its lock")
def cancel(request: MemberRequest, reference: str) -> HttpResponse:
    """Take back one's own request, or that of a bot whose key one holds."""
    change = found(request, reference)
    form = CancelForm(request.POST, auto_id="id_cancel_%s")
    if not form.is_valid():
        return _page(request, change, cancel_form=form)
    try:
        changes.cancel(reference, actor=request.member, reason=form.cleaned_data["reason"])
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"Request {change.number} is cancelled.")
    return _back(request, reference)


def _back(request: MemberRequest, reference: str) -> HttpResponse:
    """To the page again, in the list from which it was opened."""
    listing = opened_from(request)
    return redirect(resolve_url("policies:request", reference) + (listing.query if listing else ""))


def _kept(message: str, request: MemberRequest) -> str:
    """`message`, with the reason that was typed for nothing, so that it is not lost."""
    reason = " ".join(request.POST.get("reason", "").split())[:REASON_SHOWN]
    return f"{message}\nYour reason was not sent: “{markup.visible(reason)}”" if reason else message


def found(request: MemberRequest, reference: str) -> ChangeRequest:
    """The request, if it is one that this Member may look at; a foreign one is as unknown as one that never was."""
    rows = (
        queues.visible(request.member)
        .with_parties()
        .select_related("api_key__made_by__user", "asked_again_from", "asked_again_as")
    )
    change: ChangeRequest | None = rows.filter(reference=reference).first()
    if change is None:
        raise Http404("There is no such request.")
    return change


def _standing(request: MemberRequest, change: ChangeRequest) -> Standing:
    return stand(change, request.member, gathering.gather(change.organization, [change]), list(change.decisions.all()))


def _page(
    request: MemberRequest,
    change: ChangeRequest,
    *,
    decide_form: DecideForm | None = None,
    cancel_form: CancelForm | None = None,
) -> HttpResponse:
    # What the frame asks of bots serves the facts as well, so it is asked first.
    queues.waiting_for(request.member)
    decisions = list(change.decisions.select_related("member__user").order_by("pk"))
    facts = gathering.gather(change.organization, [change])
    standing = stand(change, request.member, facts, decisions)
    intact = is_intact(change)
    description = described(change)
    frozen = freezes.holding_up(change, facts) if change.is_open else None
    if standing.can_decide and intact and decide_form is None:
        decide_form = DecideForm(step_up=request.step_up, change=change)
    context = {
        "change": change,
        "state": change.shown_state,
        "title": named(change),
        "description": description,
        "agreed": agreed(change, description),
        "altered": _unfit(change, is_intact=intact),
        "protection": protection(change, facts),
        "standing": standing,
        **_people(standing),
        "progress": progress(change, standing, decisions),
        "steps": steps(request, change, decisions, facts.groups),
        "is_own": change.member_id == request.member.pk,
        "own_decision": next((one for one in decisions if one.person_id == request.member.user_id), None),
        "beside": beside(request, change, is_left=not (standing.can_decide and intact)),
        "moves_money": readability.moves_money(change),
        "frozen": frozen,
        "barred": frozen.words if frozen else readability.barred(change),
        "form": decide_form if standing.can_decide and intact else None,
        "can_ask_again": changes.can_ask_again(change, request.member),
        "cancel_form": (cancel_form or CancelForm(auto_id="id_cancel_%s")) if standing.can_cancel else None,
    }
    return render(request, "policies/request.html", context)


def _people(standing: Standing) -> dict[str, object]:
    """Who can still approve or has decided, and apart from them who cannot, with how many for each reason."""
    ordered = sorted(standing.people, key=lambda person: (not person.can, not person.is_you, not person.decided))
    barred = [person for person in ordered if not person.can and not person.decided]
    counts = Counter(person.reason.they for person in barred if person.reason)
    return {
        "able": [person for person in ordered if person.can or person.decided],
        "barred_people": barred,
        "barred_counts": counts.most_common(),
        "few": FEW,
    }


def _unfit(change: ChangeRequest, *, is_intact: bool) -> Notice | None:
    """Why it cannot go through, whoever agrees; said of what has ended as well, for it explains what is missing."""
    if not is_intact:
        return ALTERED
    trouble = readability.trouble(change)
    if not trouble:
        return None
    ends = "Whoever decides on it or takes it back ends it, and what it holds is given back. " if change.is_open else ""
    return Notice("stop", "This version of the portal cannot read this request.", f"{ends}{trouble}")


def _tell(request: MemberRequest, change: ChangeRequest, *, approved: bool) -> None:
    """Which Decision was recorded, and what came of it."""
    if change.state == State.EXECUTED:
        messages.success(request, f"You approved {named(change)}.\nYours was the last approval: it is executed.")
    elif change.is_delayed and change.ready_at is not None:
        at = dated(timezone.localtime(change.ready_at))
        text = f"Yours was the last approval. It goes ahead on {at}, unless somebody rejects it before."
        messages.success(request, f"You approved {named(change)}.\n{text}")
    elif change.state == State.APPROVED:
        text = "Yours was the last approval. How it went is not known yet; this page will say."
        messages.success(request, f"You approved {named(change)}.\n{text}")
    elif change.state == State.FAILED:
        messages.error(request, f"{named(change)}: approved, but it failed.\n{change.reason}")
    elif change.state == State.REJECTED:
        messages.success(request, f"You rejected {named(change)}.\nIt has ended, and nothing of it was carried out.")
    elif approved:
        left = max(1, _standing(request, change).missing)
        more = f"It waits for {counted(left, 'more approval')}."
        messages.success(request, f"You approved {named(change)}.\n{more}")
    else:
        messages.success(request, f"You rejected {named(change)}.\nYour rejection is recorded. {GOES_ON}")
