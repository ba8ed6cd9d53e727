"""Lifting a freeze before its end, and freezing for longer: governed like all else of the frozen workflow (DESIGN §4).

One operation of each for each workflow, since it is that workflow's policy and those who hold its rights that decide.
None is ever stopped by a freeze.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.utils import timezone
from django.utils.html import format_html

from policies import payload
from policies.freezes import mail
from policies.freezes.freeze import running
from policies.models import Freeze
from policies.registry import Headline, Run, Touched, always_protected, operation, takes_all
from policies.rules import lock_protection
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.database.one_reading import once
from portal.core.display import markup
from portal.core.display.descriptions import Description, Fact, FieldChange
from portal.core.display.phrases import dated
from portal.core.errors import Conflict, Invalid, NotFound

if TYPE_CHECKING:
    from policies.models import ChangeRequest

LONGEST: Final = timedelta(days=30)
UNTIL: Final = "Frozen until"


@dataclass(frozen=True, slots=True)
class LiftFreeze:
    """The freeze that is to end now, as it is called, and its Account where it has one."""

    freeze_id: int
    label: str
    account_id: int | None


@dataclass(frozen=True, slots=True)
class FreezeLonger:
    """The same for one that is to last until then."""

    freeze_id: int
    label: str
    account_id: int | None
    until: datetime


def find(change: "ChangeRequest", params: LiftFreeze | FreezeLonger) -> Freeze:
    """The freeze that a request is about, which runs.

    Raises: NotFound unless it is one of that Organization, workflow and Account; Conflict if it has ended.
    """
    row = _row(change, params)
    if row is None:
        raise NotFound("There is no such freeze.")
    if row.ended_at is not None or row.ends_at <= timezone.now():
        raise Conflict(f"The freeze of {row.label} has ended.")
    return row


def _row(change: "ChangeRequest", params: LiftFreeze | FreezeLonger) -> Freeze | None:
    rows = Freeze.objects.filter(
        organization=change.organization_id, workflow=change.workflow, account=change.account_id, pk=params.freeze_id
    )
    return rows.select_related("made_by__user").first()


def _check_lifting(*, actor: Actor, params: LiftFreeze, change: "ChangeRequest") -> None:
    find(change, params)


def _check_longer(*, actor: Actor, params: FreezeLonger, change: "ChangeRequest") -> None:
    row = find(change, params)
    if params.until <= row.ends_at:
        raise Invalid(f"It lasts until {dated(row.ends_at)} UTC already. Choose more.", field="hours")
    if params.until > timezone.now() + LONGEST:
        raise Invalid(f"At most {LONGEST.days} days from now.", field="hours")


def _ends(row: Freeze | None) -> str:
    if row is None or row.ended_at is not None or row.ends_at <= timezone.now():
        return "ended"
    return f"{row.ends_at:%Y-%m-%d %H:%M:%S} UTC"


def _touched_by_lifting(*, params: LiftFreeze, change: "ChangeRequest") -> tuple[Touched, ...]:
    # Who agreed to lift what would have ended by itself has not agreed to lift what others have made longer since.
    return (Touched(UNTIL, _ends(_row(change, params)), "ended"),)


def _touched_by_longer(*, params: FreezeLonger, change: "ChangeRequest") -> tuple[Touched, ...]:
    return (Touched(UNTIL, _ends(_row(change, params)), f"{params.until:%Y-%m-%d %H:%M:%S} UTC"),)


def _describe_lifting(change: "ChangeRequest") -> Description:
    params = payload.decode(LiftFreeze, change.params)
    return Description(
        sentence=format_html(
            "<b>{}</b> asks to lift the freeze of <b>{}</b>. Requests are asked, approved and carried out there again, "
            "and what waited goes on.",
            change.initiator_label,
            params.label,
        ),
        facts=_facts(change, params),
        panel=(Fact("Lift the freeze of", params.label), Fact("Asked by", change.initiator_label)),
        changes=(FieldChange("Frozen", "yes", "no", grows=True),),
    )


def _describe_longer(change: "ChangeRequest") -> Description:
    params = payload.decode(FreezeLonger, change.params)
    until = markup.moment(params.until)
    return Description(
        sentence=format_html(
            "<b>{}</b> asks that <b>{}</b> stays frozen until {}. Until then nothing is asked, approved or carried out "
            "there.",
            change.initiator_label,
            params.label,
            until,
        ),
        facts=(*_facts(change, params), Fact("Would end", until)),
        panel=(Fact("Freeze for longer", params.label), Fact("Until", until)),
    )


def _facts(change: "ChangeRequest", params: LiftFreeze | FreezeLonger) -> tuple[Fact, ...]:
    row = _running(change).get(params.freeze_id) if change.is_open else None
    if row is None:
        return (Fact("Frozen", params.label),)
    return (
        Fact("Frozen", params.label),
        Fact("By", row.made_by.label),
        Fact("Why", markup.quoted(row.reason)),
        Fact("Since", markup.moment(row.started_at)),
        Fact("Ends by itself", markup.moment(row.ends_at)),
    )


def _running(change: "ChangeRequest") -> Mapping[int, Freeze]:
    """Those of its Organization by primary key, read once for a page."""
    rows = running(change.organization_id).select_related("made_by__user")
    return once(("freezes of", change.organization_id), lambda: {row.pk: row for row in rows})


def _lifting(workflow: Workflow) -> Run[LiftFreeze]:
    @operation(
        f"policies.lift_freeze_of_{workflow.value}",
        title=f"Lift a freeze of {workflow.title}",
        workflow=workflow,
        params=LiftFreeze,
        account=lambda params: params.account_id,
        subject=lambda params: f"freeze:{params.freeze_id}",
        headline=lambda params: Headline(f"Lift the freeze of {params.label}"),
        describe=_describe_lifting,
        opened=_check_lifting,
        touches=_touched_by_lifting,
        approvers_ask=True,
        protection=lock_protection.LIFT_FREEZE,
        protected=always_protected,
        shifts_power=False,
        every_account=True,
        defies_freezes=True,
        tells=True,
    )
    def lift_freeze(*, actor: Actor, params: LiftFreeze, change: "ChangeRequest") -> Freeze:
        """Let what is frozen go on before its time. Raises: as `find`."""
        row = find(change, params)
        row.ended_at, row.ended_by = timezone.now(), actor.label
        row.save(update_fields=["ended_at", "ended_by"])
        return _noted(EventKind.FREEZE_LIFTED, row, actor, change, mail.LIFTED)

    return lift_freeze


def _longer(workflow: Workflow) -> Run[FreezeLonger]:
    @operation(
        f"policies.freeze_longer_{workflow.value}",
        title=f"Freeze {workflow.title} for longer",
        workflow=workflow,
        params=FreezeLonger,
        account=lambda params: params.account_id,
        subject=lambda params: f"freeze:{params.freeze_id}",
        headline=lambda params: Headline(f"Freeze {params.label} for longer"),
        describe=_describe_longer,
        opened=_check_longer,
        touches=_touched_by_longer,
        takes_power=takes_all,
        protection=lock_protection.FREEZE_LONGER,
        shifts_power=False,
        every_account=True,
        defies_freezes=True,
        tells=True,
    )
    def freeze_longer(*, actor: Actor, params: FreezeLonger, change: "ChangeRequest") -> Freeze:
        """Let a freeze run until then; it is its maker's alone no more. Raises: as `find`; Invalid as when asked."""
        _check_longer(actor=actor, params=params, change=change)
        row = find(change, params)
        row.ends_at, row.extended_at = params.until, timezone.now()
        row.save(update_fields=["ends_at", "extended_at"])
        return _noted(EventKind.FREEZE_EXTENDED, row, actor, change, mail.EXTENDED)

    return freeze_longer


def _noted(kind: EventKind, row: Freeze, actor: Actor, change: "ChangeRequest", what: str) -> Freeze:
    record(
        kind,
        actor=actor,
        subject=row,
        organization_id=change.organization_id,
        workflow=row.workflow,
        account_id=row.account_id,
        change=change.reference,
        until=row.ends_at,
    )
    mail.tell(row, what, by=actor.label, by_member=change.member_id)
    return row


LIFT: Final[Mapping[Workflow, Run[LiftFreeze]]] = {workflow: _lifting(workflow) for workflow in Workflow}
LONGER: Final[Mapping[Workflow, Run[FreezeLonger]]] = {workflow: _longer(workflow) for workflow in Workflow}
