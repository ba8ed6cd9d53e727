"""Deciding several requests on one page that lists them all (DESIGN R9, security SU-2, SU-3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.http import require_http_methods

from policies import freezes
from policies import snapshot as gathering
from policies.access import open_to_members
from policies.changes.transitions import is_intact
from policies.forms.requests import APPROVE, REJECT, BatchForm
from policies.inbox import batches, queues
from policies.inbox.batches import MOST_TOGETHER, Outcome, Seen
from policies.inbox.filters import BY_EXPIRY, Listing
from policies.models import ChangeRequest, State
from policies.readability import moves_money
from policies.rules import Facts
from policies.views.descriptions import agreed, described, protection, read_ahead
from policies.views.requests import GOES_ON
from policies.views.rows import named
from portal.core.display.descriptions import Description, Fact, Notice
from portal.core.display.phrases import counted
from portal.core.errors import DomainError
from portal.core.web.http import MemberRequest

LONGEST_REFERENCE: Final = 16
DIGEST_LENGTH: Final = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One request of the batch: in full where it is approved (security CR-15), by its main points where it is not."""

    change: ChangeRequest
    description: Description | None
    facts: list[Fact]
    protection: Notice | None
    frozen: Notice | None = None

    @property
    def name(self) -> str:
        """What the request is called on a line of its own."""
        return named(self.change)


@require_http_methods(["GET", "HEAD", "POST"])
@open_to_members("only what waits for the reader can be chosen, and each is asked again under its lock")
def batch(request: MemberRequest) -> HttpResponse:
    """The chosen requests in full, then one reason and one second factor for all of them."""
    data = request.POST if request.method == "POST" else request.GET
    listing, approves = Listing.read(data), data.get("decision") == APPROVE
    back = resolve_url("policies:inbox") + listing.query
    posted = list(dict.fromkeys(_seen(value) for value in data.getlist("change")))
    if not posted or data.get("decision") not in (APPROVE, REJECT):
        messages.warning(request, "Choose the requests that you want to decide together, then what you decide.")
        return redirect(back)
    chosen, apart = _chosen(request, posted, approves=approves)
    if request.method == "POST":
        form = BatchForm(request.POST, step_up=request.step_up, chosen=posted, approves=approves)
        if form.is_valid():
            try:
                outcomes = batches.decide_all(
                    posted,
                    member=request.member,
                    approved=approves,
                    proof=form.proof,
                    reason=form.cleaned_data["reason"],
                )
            except DomainError as error:
                form.refuse(error)
            else:
                _tell(request, outcomes, approves=approves)
                return redirect(back)
        form.rebind([Seen(change.reference, change.digest) for change in chosen])
    else:
        seen = [Seen(change.reference, change.digest) for change in chosen]
        form = BatchForm(step_up=request.step_up, chosen=seen, approves=approves)
    context = {
        "entries": _entries(request, chosen, approves=approves),
        "apart": [(named(change), change) for change in apart],
        "gone": len({seen.reference for seen in posted}) - len(chosen) - len(apart),
        "most": MOST_TOGETHER,
        "approves": approves,
        "listing": listing,
        "back": back,
        "form": form,
    }
    return render(request, "policies/batch.html", context)


def _seen(value: str) -> Seen:
    """`reference:digest` as the page posts it, or the reference alone as the list does."""
    reference, _, digest = value.replace("\0", "").partition(":")
    return Seen(reference[:LONGEST_REFERENCE], digest[:DIGEST_LENGTH])


def _chosen(
    request: MemberRequest, posted: Iterable[Seen], *, approves: bool
) -> tuple[list[ChangeRequest], list[ChangeRequest]]:
    """What still waits for the reader of what they chose; then what of it is approved one at a time only."""
    references = {seen.reference for seen in posted}
    waiting = queues.waiting_for(request.member).filter(reference__in=references).with_parties()
    apart: list[ChangeRequest] = []
    chosen: list[ChangeRequest] = []
    for change in filter(is_intact, waiting.order_by(*BY_EXPIRY)):
        (apart if approves and moves_money(change) else chosen).append(change)
    return chosen[:MOST_TOGETHER], apart


def _entries(request: MemberRequest, changes: list[ChangeRequest], *, approves: bool) -> list[Entry]:
    facts = gathering.gather(request.organization, changes)
    read_ahead(changes)
    entries = []
    for change in changes:
        description = described(change)
        said = agreed(change, description, in_full=approves)
        entries.append(Entry(change, description, said, protection(change, facts), _frozen(change, facts)))
    return entries


def _frozen(change: ChangeRequest, facts: Facts) -> Notice | None:
    """That nobody can approve it now, although it can be rejected."""
    found = freezes.holding_up(change, facts)
    return Notice("stop", "Nobody can approve this now.", found.words) if found else None


def _tell(request: MemberRequest, outcomes: list[Outcome], *, approves: bool) -> None:
    """What came of each, by name: what was done first, then what was not and why."""
    verb = "approved" if approves else "rejected"
    done = [outcome for outcome in outcomes if not outcome.refusal]
    if done:
        title = f"{counted(len(done), 'request')} {verb}."
        messages.success(request, "\n".join([title, *(_line(outcome, approves=approves) for outcome in done)]))
    refused = [outcome for outcome in outcomes if outcome.refusal]
    if refused:
        title = f"{counted(len(refused), 'request')} not {verb}."
        messages.error(request, "\n".join([title, *(_line(outcome, approves=approves) for outcome in refused)]))


def _line(outcome: Outcome, *, approves: bool) -> str:
    change = outcome.change
    if change is None:
        return outcome.refusal
    said = outcome.refusal or f"{State(change.state).label}."
    if not outcome.refusal and change.state == State.PENDING and not approves:
        said = f"Your rejection is recorded. {GOES_ON}"
    if change.state == State.FAILED:
        said = f"Approved, but it failed: {change.reason}"
    return f"{change.number} {named(change)}: {said}"
