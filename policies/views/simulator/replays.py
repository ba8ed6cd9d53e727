"""Replays: every request of the last 90 days against the reader's draft; how far one is, and what it has found."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from policies import snapshot as gathering
from policies.access import needs
from policies.inbox import queues
from policies.models import ChangeRequest, Replay, ReplayState
from policies.payload import Unreadable
from policies.replay import runs
from policies.replay.answers import Both
from policies.replay.comparison import KEPT, Difference
from policies.replay.kept import Counts, read
from policies.replay.words import WORDS, Line, lines, summary
from policies.rule_words import Names, demand_words, names_of, sentence
from policies.rules import Facts, policy_of
from policies.simulator.answers import WITHDRAWAL
from policies.snapshot.stored_rules import read_rules, written_rules
from policies.views.simulator.simulate import draft_of
from policies.workflows import Right, Workflow
from portal.core.errors import DomainError, Refused
from portal.core.web.http import MemberRequest

SIZE: Final = 25
NO_DRAFT: Final = "You have no draft of other rules. Write one first."


@dataclass(frozen=True, slots=True)
class Row:
    """One request: what was asked of it, and what would have been. `change` is None where the reader may not look."""

    change: ChangeRequest | None
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the requests of one difference; `next` begins the one after, as `portal.core.paging.Page` has it."""

    difference: Difference
    words: str
    rows: Sequence[Row]
    next: str | None
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a replay that is done has found."""

    summary: str
    lines: Sequence[Line]
    listing: Listing | None


@require_POST
@needs(Workflow.MANAGE_POLICIES, Right.VIEW)
def start_replay(request: MemberRequest) -> HttpResponse:
    """Hold the last 90 days against the reader's draft."""
    draft = draft_of(request)
    if draft is None:
        messages.error(request, NO_DRAFT)
        return redirect("policies:simulate")
    try:
        replay = runs.start(author=request.member, rules=draft)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("policies:simulate")
    return redirect("policies:replay", reference=replay.reference)


@require_safe
@needs(Workflow.MANAGE_POLICIES, Right.VIEW)
def replay(request: MemberRequest, reference: str) -> HttpResponse:
    """How far it is, or what it has found."""
    return render(request, "policies/simulator/replay.html", _context(request, _own(request, reference)))


@require_safe
@needs(Workflow.MANAGE_POLICIES, Right.VIEW)
def replay_now(request: MemberRequest, reference: str) -> HttpResponse:
    """The same without the page around it: asked for every two seconds while it can still move."""
    return render(request, "policies/simulator/_replay.html", _context(request, _own(request, reference)))


@require_POST
@needs(Workflow.MANAGE_POLICIES, Right.VIEW)
def cancel_replay(request: MemberRequest, reference: str) -> HttpResponse:
    """End it without a result."""
    shown = _own(request, reference)
    if not runs.cancel(shown):
        messages.info(request, "It was over already.")
    return redirect("policies:replay", reference=reference)


def _context(request: MemberRequest, shown: Replay) -> dict[str, object]:
    facts = gathering.gather(request.organization)
    names = names_of(request.organization, facts)
    return {
        "replay": shown,
        "found": _found(request, shown, names),
        "draft": _sentences(shown.rules, names),
        "in_force": _sentences(shown.in_force, names),
        "moved_on": _moved_on(request, shown, facts),
    }


def _own(request: MemberRequest, reference: str) -> Replay:
    """Nobody reads another's: it tells of their draft."""
    found = Replay.objects.of(request.member).filter(reference=reference).defer("found").first()
    if found is None:
        raise Http404
    return found


def _found(request: MemberRequest, shown: Replay, names: Names) -> Found | None:
    if shown.state != ReplayState.DONE:
        return None
    try:
        counts = read(shown.result or {})
    except Unreadable:
        return None
    return Found(summary(counts, names), lines(counts, names), _listing(request, shown, counts, names))


def _listing(request: MemberRequest, shown: Replay, counts: Counts, names: Names) -> Listing | None:
    """The requests of the difference that is asked for, oldest first, beginning after the last one shown."""
    chosen = request.GET.get("show", "")
    if chosen not in set(Difference) or not counts.counts.get(Difference(chosen)):
        return None
    found: list[tuple[int, int]] = [(pk, place) for pk, place in (shown.found or {}).get(chosen, ())]
    after = request.GET.get("after", "")
    place = bisect_right(found, (int(after), len(counts.pairs))) if after.isdecimal() and len(after) < 20 else 0
    rows = found[place : place + SIZE]
    visible = queues.visible(request.member).filter(pk__in=[pk for pk, _ in rows])
    changes = visible.select_related("account", "member__user", "service_user").in_bulk()
    return Listing(
        difference=Difference(chosen),
        words=WORDS[Difference(chosen)],
        rows=[_row(changes.get(pk), counts.pairs[pair], names) for pk, pair in rows],
        next=str(rows[-1][0]) if len(found) > place + SIZE else None,
        is_cut=counts.counts[Difference(chosen)] > len(found) >= KEPT,
    )


def _row(change: ChangeRequest | None, pair: Both, names: Names) -> Row:
    before, after = pair
    return Row(change, demand_words(before, names), demand_words(after, names))


def _sentences(stored: object, names: Names) -> Sequence[str] | None:
    """The rules as they were read; None without a policy."""
    if stored is None:
        return None
    rules = read_rules(stored)
    if rules is None:
        return ["Another version wrote these rules, and this one cannot read them."]
    return [sentence(rule, names) for rule in rules]


def _moved_on(request: MemberRequest, shown: Replay, facts: Facts) -> Sequence[str]:
    """What has changed since it ran."""
    found = []
    draft = draft_of(request)
    if draft is None or written_rules(draft) != shown.rules:
        found.append("Your draft has changed since.")
    try:
        policy = policy_of(facts.policies, WITHDRAWAL)
    except Refused:
        return found
    if (None if policy is None else written_rules(policy.rule_set)) != shown.in_force:
        found.append("The policy in force has changed since.")
    return found
