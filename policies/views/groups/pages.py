"""The groups of an Organization: who is in each, what asks for it, and what is asked about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from policies import snapshot as gathering
from policies.access import allows, needs
from policies.changes import propose
from policies.forecast import Forecast, foresee_at_least
from policies.forms.groups import GroupForm, RemoveGroupForm
from policies.groups import Candidate, Listed, candidates, is_named_by_lock, of_facts
from policies.models import ChangeRequest, Group
from policies.operations import change_group, create_group, remove_group
from policies.operations.group_rosters import MAX_GROUPS, MAX_MEMBERS, roster_of
from policies.registry import of
from policies.rule_words import names_of, sentence
from policies.rules import Asked, Facts
from policies.views.asking import answer_to
from policies.workflows import Right, Workflow
from portal.core.web.http import MemberRequest
from portal.core.web.ticked_boxes import ticked

KEYS: Final = tuple(of(run).key for run in (create_group, change_group, remove_group))
# More names stand on the group's own page.
NAMED: Final = 12


@dataclass(frozen=True, slots=True)
class Row:
    """One group of the list; `others` are in it besides those named, and `waiting` is asked about it."""

    group: Listed
    names: tuple[str, ...]
    others: int
    waiting: tuple[ChangeRequest, ...]


@dataclass(frozen=True, slots=True)
class Bars:
    """Why the reader cannot do each of these; empty where they can."""

    change: str
    remove: str


@require_safe
@needs(Workflow.MANAGE_ACCESS, Right.VIEW)
def groups(request: MemberRequest) -> HttpResponse:
    """Every group, of which there are fifty at most."""
    found = of_facts(gathering.gather(request.organization))
    waiting = _waiting(request)
    rows = [
        Row(group, group.names[:NAMED], len(group.names[NAMED:]), waiting.get(f"group:{group.group_id}", ()))
        for group in found
    ]
    context = {
        "rows": rows,
        "new": [change for changes in waiting.values() for change in changes if change.operation == KEYS[0]],
        "may_ask": allows(request.member, Workflow.MANAGE_ACCESS, Right.INITIATE),
        "is_full": len(found) >= MAX_GROUPS,
        "most": MAX_GROUPS,
    }
    return render(request, "policies/groups/groups.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def new_group(request: MemberRequest) -> HttpResponse:
    """Ask for another group."""
    offered = candidates(request.organization)
    form = GroupForm(request.POST if request.method == "POST" else None, step_up=request.step_up, offered=offered)
    answer = answer_to(
        request,
        form,
        lambda: propose(create_group, actor=request.member, params=form.new(), note=form.cleaned_data["note"]),
        done="policies:groups",
    )
    if answer:
        return answer
    facts = gathering.gather(request.organization)
    context = {
        "form": form,
        "most": MAX_MEMBERS,
        "notice": _forecast(request, facts, offered, before=frozenset(), protected=False),
        "ticks": reverse("policies:new_group"),
    }
    return render(request, "policies/groups/new_group.html", context)


@require_safe
@needs(Workflow.MANAGE_ACCESS, Right.VIEW)
def group(request: MemberRequest, number: int) -> HttpResponse:
    """One group, and for whoever may ask the form that changes it."""
    return _page(request, _group(request, number))


@require_POST
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def change(request: MemberRequest, number: int) -> HttpResponse:
    """Ask for another name, or for others in it."""
    found = _group(request, number)
    form = _form(request, found, candidates(request.organization), bound=True)
    answer = answer_to(
        request,
        form,
        lambda: propose(change_group, actor=request.member, params=form.change(found), note=form.cleaned_data["note"]),
        done=reverse("policies:group", args=[found.pk]),
    )
    return answer or _page(request, found, change_form=form)


@require_POST
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def remove(request: MemberRequest, number: int) -> HttpResponse:
    """Ask that there be no such group any more."""
    found = _group(request, number)
    form = RemoveGroupForm(request.POST, step_up=request.step_up, auto_id="id_remove_%s")
    answer = answer_to(
        request,
        form,
        lambda: propose(
            remove_group,
            actor=request.member,
            params=form.params(found, roster_of(found)),
            note=form.cleaned_data["note"],
        ),
        done="policies:groups",
    )
    return answer or _page(request, found, remove_form=form)


def _page(
    request: MemberRequest,
    found: Group,
    *,
    change_form: GroupForm | None = None,
    remove_form: RemoveGroupForm | None = None,
) -> HttpResponse:
    facts = gathering.gather(request.organization)
    shown = next(each for each in of_facts(facts) if each.group_id == found.pk)
    bars = _bars(request, shown)
    context = {
        "group": shown,
        "bars": bars,
        "sentences": _sentences(request, facts, shown),
        "waiting": _waiting(request).get(f"group:{found.pk}", ()),
        "most": MAX_MEMBERS,
        "ticks": reverse("policies:group", args=[found.pk]),
    }
    if not bars.change:
        offered = candidates(request.organization)
        form = change_form or _form(request, found, offered)
        before = frozenset(person.member_id for person in shown.people)
        protected = is_named_by_lock(found.pk, facts.policies)
        context |= {
            "form": form,
            "notice": _forecast(request, facts, offered, before=before, protected=protected),
            "is_protected": protected,
            "remove_form": remove_form or RemoveGroupForm(step_up=request.step_up, auto_id="id_remove_%s"),
        }
    return render(request, "policies/groups/group.html", context)


def _group(request: MemberRequest, number: int) -> Group:
    return get_object_or_404(Group, organization=request.organization, removed_at=None, pk=number)


def _form(request: MemberRequest, found: Group, offered: tuple[Candidate, ...], *, bound: bool = False) -> GroupForm:
    data = request.POST if bound else None
    return GroupForm(data, step_up=request.step_up, offered=offered, roster=roster_of(found))


def _bars(request: MemberRequest, shown: Listed) -> Bars:
    may_ask = allows(request.member, Workflow.MANAGE_ACCESS, Right.INITIATE)
    change = "" if may_ask else "Changing it takes Initiate on Manage Access."
    asking = ", ".join(asks.workflow.title for asks in shown.asks)
    named = f"A policy asks for it: {asking}. Take it out of there first." if asking else ""
    return Bars(change, named if may_ask else "Removing it takes Initiate on Manage Access.")


def _sentences(request: MemberRequest, facts: Facts, shown: Listed) -> list[tuple[str, tuple[str, ...]]]:
    """What asks for it; the rules themselves for who may look at policies."""
    if not allows(request.member, Workflow.MANAGE_POLICIES, Right.VIEW):
        return [(asks.words, ()) for asks in shown.asks]
    names = names_of(request.organization, facts)
    return [(asks.words, tuple(sentence(rule, names) for rule in asks.rules)) for asks in shown.asks]


def _waiting(request: MemberRequest) -> Mapping[str, tuple[ChangeRequest, ...]]:
    """What waits about groups, by its subject."""
    found: dict[str, tuple[ChangeRequest, ...]] = {}
    rows = ChangeRequest.objects.of(request.organization).waiting()
    rows = rows.filter(workflow=Workflow.MANAGE_ACCESS, operation__in=KEYS)
    for change in rows.order_by("expires_at", "pk")[:100]:
        found[change.subject] = (*found.get(change.subject, ()), change)
    return found


def _forecast(
    request: MemberRequest, facts: Facts, offered: tuple[Candidate, ...], *, before: frozenset[int], protected: bool
) -> Forecast:
    """What it takes, as the boxes are ticked now: who comes in or goes out does not decide."""
    posted = request.POST if request.method == "POST" else None
    after = ticked(posted, request.GET, "members", map(str, before))
    concerned = (one.user_id for one in offered if (one.member_id in before) is not (str(one.member_id) in after))
    asked = Asked(
        Workflow.MANAGE_ACCESS,
        gathering.initiator(facts, request.member),
        concerned=frozenset(concerned),
        protected=protected,
    )
    return foresee_at_least(asked, facts)
