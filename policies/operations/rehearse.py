"""Asking everybody who may approve on a workflow to show that they can, before it has to be done; nothing changes.

There is one operation for each workflow, since a request is decided by who may approve on the workflow of its own.
"""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from django.utils.html import format_html
from django.utils.safestring import SafeString

from policies import payload
from policies.models import ChangeRequest
from policies.registry import Headline, Run, Touched, operation
from policies.rehearsals.asking import SUBJECT, Rehearse, key_of, params_for
from policies.rehearsals.history import read_answers, unanswered
from policies.rules import Facts, lock_protection
from policies.snapshot import gather
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.display.descriptions import Description, Fact, Notice
from portal.core.display.phrases import listed
from portal.core.errors import Conflict, NotFound, Refused

if TYPE_CHECKING:
    from policies.rules import Initiator

# As many are named where space is short.
NAMED: Final = 10
NOTHING_CHANGES: Final = Notice(
    "pen",
    "This is a rehearsal: nothing will be changed, and no money moves.",
    "Approve it to show that you would be there, with your second factor and in time. It takes the approval of "
    "everybody who was asked. If one of them leaves meanwhile, it runs until its time is over, and then says who did "
    "not answer.",
)


def named(people: tuple[str, ...]) -> str:
    """These people by name, however many they are: the first of them, and how many more."""
    return listed(people if len(people) <= NAMED else (*people[:NAMED], f"{len(people) - NAMED} more"))


def check(workflow: Workflow, *, actor: Actor, params: Rehearse, change: ChangeRequest) -> None:
    """Raises: Conflict while the same is being rehearsed, or if others would be asked by now; NotFound for a group of
    somebody else; Refused where there is nobody to ask.

    Both rules hold under the lock on the history, which whoever asks holds alone.
    """
    open_ones = ChangeRequest.objects.of(change.organization_id).waiting().filter(subject=SUBJECT)
    for other in open_ones.filter(operation=change.operation).order_by("pk"):
        if other.params.get("group") == params.group:
            raise Conflict(f"Request {other.number} rehearses this already. Wait until it has ended.")
    facts = gather(change.organization)
    asker = facts.person(change.member_id)
    if asker is None or (params.group is not None and params.group not in facts.groups):
        raise NotFound("There is no such group in this Organization.", field="group")
    now = params_for(facts, workflow, params.group, asker)
    if not now.asked:
        who = f"in {now.group_name} " if params.group is not None else ""
        raise Refused(
            f"Nobody else {who}may approve on {workflow.title} now, so there is nobody to ask.", field="group"
        )
    if now != params:
        raise Conflict("Who may approve has changed since this page was opened. Look at it again, and ask anew.")


def _describe(workflow: Workflow, change: ChangeRequest) -> Description:
    params = payload.decode(Rehearse, change.params)
    facts = gather(change.organization)
    missing = unanswered(change, params, facts)
    names = {person.member_id: person.name for person in facts.people}
    asked = tuple(names.get(member, "somebody unknown") for member in params.asked)
    answered = tuple(sorted(set(asked) - set(missing)))
    return Description(
        sentence=format_html(
            "<b>{}</b> asks {} to show that they can. Nothing will be changed.",
            change.initiator_label,
            _whom(workflow, params),
        ),
        facts=(
            Fact("Changes", "nothing"),
            Fact("Who is asked", listed(sorted(asked))),
            Fact("Answered", listed(answered) or "nobody"),
            Fact("Not yet" if change.is_open else "Did not answer", listed(missing) or "nobody"),
        ),
        panel=(Fact("Rehearses", workflow.title), Fact("Changes", "nothing")),
        notices=(NOTHING_CHANGES,) if change.is_open else (),
    )


def _whom(workflow: Workflow, params: Rehearse) -> SafeString:
    if params.group is None:
        return format_html("everybody who may approve on <b>{}</b>", workflow.title)
    return format_html(
        "everybody in the group <b>{}</b> who may approve on <b>{}</b>", params.group_name, workflow.title
    )


def _unfinished(change: ChangeRequest) -> str:
    """Who did not answer, once its time is over."""
    params = payload.decode(Rehearse, change.params)
    missing = unanswered(change, params, gather(change.organization))
    if not missing:
        return ""
    return f"{len(missing)} of {len(params.asked)} did not answer: {named(missing)}."


def _headline(workflow: Workflow, params: Rehearse) -> Headline:
    of_group = f", group {params.group_name}" if params.group_name else ""
    return Headline(f"Rehearsal: {workflow.title}{of_group}")


def _least(params: Rehearse, _facts: Facts, _initiator: "Initiator") -> int:
    return len(params.asked)


def _of_groups(params: Rehearse) -> tuple[tuple[int, int], ...]:
    return ((params.group, len(params.asked)),) if params.group is not None else ()


def _writes_nothing(*, params: Rehearse, change: ChangeRequest) -> tuple[Touched, ...]:
    """No request overtakes a rehearsal: it changes nothing, and answers count whatever has changed meanwhile."""
    return ()


def _renewed(workflow: Workflow, params: Rehearse, change: ChangeRequest) -> Rehearse:
    """The same of those who may approve by now."""
    facts = gather(change.organization)
    asker = facts.person(change.member_id)
    return params_for(facts, workflow, params.group, asker) if asker is not None else params


def _registered(workflow: Workflow) -> Run[Rehearse]:
    def rehearse(*, actor: Actor, params: Rehearse, change: ChangeRequest) -> None:
        """Remember that everybody who was asked has answered."""
        record(
            EventKind.WORKFLOW_REHEARSED,
            actor=actor,
            subject=change,
            organization_id=change.organization_id,
            workflow=change.workflow,
            group=params.group,
            asked=len(params.asked),
            change=change.reference,
        )

    rehearse.__name__ = f"rehearse_{workflow.value}"
    return operation(
        key_of(workflow),
        title="Rehearse a workflow",
        workflow=workflow,
        params=Rehearse,
        subject=lambda _params: SUBJECT,
        headline=partial(_headline, workflow),
        describe=partial(_describe, workflow),
        describes_ahead=read_answers,
        opened=partial(check, workflow),
        unfinished=_unfinished,
        touches=_writes_nothing,
        renewed=partial(_renewed, workflow),
        shifts_power=False,
        # No policy says how many have to answer: everybody who was asked does.
        alone=True,
        least=_least,
        of_groups=_of_groups,
        any_account=workflow.by_account,
        protection=None if workflow.by_account else lock_protection.REHEARSE,
    )(rehearse)


REHEARSE: Final[Mapping[Workflow, Run[Rehearse]]] = {workflow: _registered(workflow) for workflow in Workflow}
