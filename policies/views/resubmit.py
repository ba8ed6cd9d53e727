"""Asking again for what has ended without being executed."""

from copy import copy

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from policies import changes, payload, readability, registry
from policies import snapshot as gathering
from policies.access import open_to_members
from policies.changes.resubmit import bar_to_asking_again
from policies.forecast import forecast
from policies.forms.requests import AskAgainForm
from policies.models import ChangeRequest, State
from policies.snapshot.measured import situation_of
from policies.views.asking import answer_to
from policies.views.descriptions import agreed, described
from policies.views.requests import found
from policies.views.rows import named
from policies.workflows import Workflow
from portal.core.errors import DomainError
from portal.core.web.http import MemberRequest


@require_http_methods(["GET", "HEAD", "POST"])
@open_to_members("who may ask again is asked of the request itself, under its lock")
def ask_again(request: MemberRequest, reference: str) -> HttpResponse:
    """Show what would be asked once more, and ask."""
    change = found(request, reference)
    bar = bar_to_asking_again(change, request.member)
    if bar is not None:
        messages.error(request, bar.message)
        return redirect("policies:request", reference=reference)
    data = request.POST if request.method == "POST" else None
    sent = _would_be_sent(request, change)
    form = AskAgainForm(data, step_up=request.step_up, change=change, sent=sent)
    answer = answer_to(
        request,
        form,
        lambda: changes.ask_again(reference, member=request.member, note=form.cleaned_data["note"], proof=form.proof),
        done=lambda anew: reverse("policies:request", args=[anew.reference]),
    )
    if answer:
        return answer
    description = described(_as_it_would_be(change))
    context = {
        "change": change,
        "state": change.shown_state,
        "is_stale": change.state == State.STALE,
        "title": named(change),
        "description": description,
        "agreed": agreed(change, description),
        "is_sent": sent,
        "form": form,
    }
    return render(request, "policies/ask_again.html", context)


def _as_it_would_be(change: ChangeRequest) -> ChangeRequest:
    """The request as it would be asked now: never a blind overwrite of what has changed since (DESIGN R6)."""
    anew = copy(change)
    try:
        entry = registry.get(change.operation)
        params = entry.renewed(payload.decode(entry.params, change.params), change)
    except (payload.Unreadable, registry.Unregistered, DomainError):
        # Pressing the button says why it cannot be asked.
        return change
    anew.params, anew.state = payload.encode(params), State.PENDING
    return anew


def _would_be_sent(request: MemberRequest, change: ChangeRequest) -> bool:
    """Whether asking moves money at once."""
    if not readability.moves_money(change):
        return False
    facts, anew = gathering.gather(request.organization), _as_it_would_be(change)
    read = readability.read(anew)
    known = None if isinstance(read, str) else situation_of(read.entry, anew, facts, read.params)
    workflow = Workflow(change.workflow)
    return forecast(request.member, workflow, facts=facts, account_id=change.account_id, situation=known).at_once
