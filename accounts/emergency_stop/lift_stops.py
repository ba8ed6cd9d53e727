"""Lifting stops: one paused key, or at once all that one member stopped (DESIGN §4)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.html import format_html

from accounts.emergency_stop import active, resume
from accounts.emergency_stop.given_back import Stopped, read_ahead, withdrawing_accounts
from accounts.models import ApiKey, Member, ServiceUser
from policies import payload, registry
from policies.models import ChangeRequest
from policies.registry import Headline, Touched, operation
from policies.rules import Facts, lock_protection
from policies.workflows import Workflow
from portal.core.actors import Actor
from portal.core.display import markup
from portal.core.display.descriptions import Description, Fact
from portal.core.errors import Conflict

WORDS: Final = {"member": "Member", "bot": "Service user", "key": "Key"}
KINDS: Final[dict[type[Member | ServiceUser | ApiKey], active.Kind]] = {
    Member: "member", ServiceUser: "bot", ApiKey: "key",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class StopToLift:
    """One thing that was stopped, and since when: one that was lifted and stopped anew is another."""

    kind: active.Kind
    pk: int
    label: str
    since: datetime


@dataclass(frozen=True, slots=True)
class LiftStops:
    """What is to go on, and the member who stopped all of it."""

    stopped_by: int
    name: str
    stops: tuple[StopToLift, ...]

    @property
    def stopped(self) -> Stopped:
        """What of it are bots and keys."""
        return Stopped(*(tuple(stop.pk for stop in self.stops if stop.kind == kind) for kind in ("bot", "key")))


def all_of(stopped_by: Member) -> LiftStops:
    """All that the member has stopped, as it is now."""
    mine = [stop for stop in active.stops(stopped_by.organization_id) if stop.by.pk == stopped_by.pk]
    return LiftStops(stopped_by.pk, stopped_by.label, tuple(_to_lift(stop) for stop in mine))


def pause_of(key: ApiKey) -> LiftStops:
    """The pause of one key alone.

    Raises: Conflict if it is not paused.
    """
    for stop in active.stops(key.service_user.organization_id):
        if (stop.kind, stop.pk) == ("key", key.pk):
            return LiftStops(stop.by.pk, stop.by.label, (_to_lift(stop),))
    raise Conflict("This key is not paused.")


def _is_one_key(params: LiftStops) -> bool:
    return [stop.kind for stop in params.stops] == ["key"]


def _subject(params: LiftStops) -> str:
    return f"api_key:{params.stops[0].pk}" if _is_one_key(params) else f"stopped_by:{params.stopped_by}"


def _title(params: LiftStops) -> str:
    if _is_one_key(params):
        return f"Lift the pause of the key {params.stops[0].label}"
    return f"Lift what {params.name} stopped"


def check_lifting(*, actor: Actor, params: LiftStops, change: ChangeRequest) -> None:
    """Raises: Conflict if nothing of it is stopped any more."""
    if not list(_left(params, change.organization_id)):
        raise Conflict("Nothing of this is stopped any more.")


def _touched(*, params: LiftStops, change: ChangeRequest) -> tuple[Touched, ...]:
    """Each thing that it would let go on, and since when that is stopped (R6)."""
    left = {(KINDS[type(found)], found.pk) for found in _left(params, change.organization_id)}
    return tuple(
        Touched(
            f"{WORDS[stop.kind]} {stop.label}",
            f"stopped since {stop.since:%Y-%m-%d %H:%M:%S} UTC" if (stop.kind, stop.pk) in left else "goes on",
            "goes on",
        )
        for stop in params.stops
    )


def describe_lifting(change: ChangeRequest) -> Description:
    """The request in words: everything that it would lift, and whose stop that was."""
    params: LiftStops = payload.decode(registry.get(change.operation).params, change.params)
    facts = tuple(
        Fact(WORDS[stop.kind], format_html("{}, stopped {}", stop.label, markup.moment(stop.since)))
        for stop in params.stops
    )
    return Description(
        sentence=format_html(
            "<b>{}</b> asks to lift what <b>{}</b> stopped: {}. What was cancelled stays cancelled.",
            change.initiator_label,
            params.name,
            _listed([stop.label for stop in params.stops]),
        ),
        facts=facts,
        panel=(Fact("Lift", str(len(params.stops))), Fact("Stopped by", params.name)),
    )


@operation(
    "accounts.lift_stops",
    title="Lift what somebody stopped",
    workflow=Workflow.MANAGE_ACCESS,
    params=LiftStops,
    subject=_subject,
    headline=lambda params: Headline(_title(params)),
    describe=describe_lifting,
    opened=check_lifting,
    approvers_ask=True,
    gives_withdraw=withdrawing_accounts,
    reads_ahead=read_ahead,
    # As lifting each of them alone is.
    protection=lock_protection.LIFT_STOPS,
    protected=lambda params, facts: bool(withdrawing_accounts(params)) or _has_powerful(params, facts),
    touches=_touched,
)
def lift_stops(*, actor: Actor, params: LiftStops, change: ChangeRequest) -> int:
    """Let everything go on that is named, is still stopped, and was not stopped anew meanwhile; say how much.

    Raises: as `check_lifting`.
    """
    check_lifting(actor=actor, params=params, change=change)
    left = list(_left(params, change.organization_id))
    for found in left:
        if isinstance(found, Member):
            resume.resume_member(found, actor=actor, reference=change.reference)
        elif isinstance(found, ServiceUser):
            resume.resume_bot(found, actor=actor, reference=change.reference)
        else:
            resume.resume_key(found, actor=actor, reference=change.reference)
    return len(left)


def _left(params: LiftStops, organization_id: int) -> Iterator[Member | ServiceUser | ApiKey]:
    since = {(stop.kind, stop.pk): stop.since for stop in params.stops}
    for member in active.members(organization_id).order_by("pk"):
        if since.get(("member", member.pk)) == member.suspended_at is not None:
            yield member
    for bot in active.bots(organization_id).order_by("pk"):
        if since.get(("bot", bot.pk)) == bot.suspended_at is not None:
            yield bot
    for key in active.keys(organization_id).order_by("pk"):
        if since.get(("key", key.pk)) == key.paused_at is not None:
            yield key


def _has_powerful(params: LiftStops, facts: Facts) -> bool:
    people = (facts.person(stop.pk) for stop in params.stops if stop.kind == "member")
    return any(person is not None and person.holds_power for person in people)


def _to_lift(stop: active.Stop) -> StopToLift:
    return StopToLift(
        stop.kind, stop.pk, f"{stop.label} of {stop.bot}" if stop.kind == "key" else stop.label, stop.since
    )


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "nothing"
