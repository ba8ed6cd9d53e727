"""How far a request has come, and who can still move it (DESIGN R7)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from policies import freezes, payload, registry
from policies import snapshot as gathering
from policies.changes.cancel_and_expire import may_cancel
from policies.changes.decisions import initiator_lack
from policies.changes.recorded_decisions import approvers
from policies.models import ChangeRequest, Decision
from policies.rules import (
    Asked,
    Facts,
    Need,
    Person,
    Reason,
    approvals_needed,
    eligible,
    is_met,
    may_vouch,
    members,
    still_needed,
    voided,
    why_not,
)
from policies.rules.need_words import LOST
from policies.snapshot.measured import measure_ahead
from policies.workflows import Right
from portal.core.display import phrases
from portal.core.errors import Refused

if TYPE_CHECKING:
    from accounts.models import Member


@dataclass(frozen=True, slots=True)
class PersonStanding:
    """One person beside a request: `decided` that they have, `reason` why they cannot or why it counts no more."""

    name: str
    is_you: bool
    reason: Reason | None = None
    decided: bool = False

    @property
    def can(self) -> bool:
        """Whether they can decide it now."""
        return self.reason is None and not self.decided


@dataclass(frozen=True, slots=True)
class GroupStanding:
    """How many of one group have approved, of those who have to."""

    name: str
    given: int
    needed: int

    def __str__(self) -> str:
        return f"{self.name} {self.given} of {self.needed}"


@dataclass(frozen=True, slots=True)
class Progress:
    """`given` of `needed` approvals, as `Standing` says it, for a list."""

    given: int
    needed: int
    groups: tuple[GroupStanding, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """`given` of `needed` approvals count now: as many as it takes at least, where some have to be of `groups`.

    `stuck` says, in words, why those who can decide do not suffice.

    `takes_power`: one rejection does not end it (R5). `frees`: keys would withdraw at once afterwards (P2).
    `counted` are the people whose approvals these are; `void` says to the reader why their own counts no more.
    `is_barred`: the reader is one who may not decide on it, whatever became of it. `delay_hours` go by after the last
    approval, and `can_stop` says that the reader can still reject it meanwhile. `is_denied`: a rule lets it go no more.
    """

    given: int
    needed: int
    people: tuple[PersonStanding, ...]
    can_decide: bool
    why_not: str
    can_cancel: bool
    stuck: str = ""
    vouchers: tuple[str, ...] = ()
    takes_power: bool = False
    frees: bool = False
    has_decided: bool = False
    void: str = ""
    counted: frozenset[int] = frozenset()
    is_barred: bool = False
    groups: tuple[GroupStanding, ...] = ()
    delay_hours: int = 0
    can_stop: bool = False
    is_denied: bool = False

    @property
    def missing(self) -> int:
        """How many approvals are still to come, never less than nought."""
        return max(0, self.needed - self.given)

    @property
    def candidates(self) -> tuple[str, ...]:
        """Who can still approve, by name, the reader first."""
        can = [person for person in self.people if person.can]
        return tuple(f"{person.name} (you)" if person.is_you else person.name for person in sorted(can, key=_you_first))


def standing(change: ChangeRequest, viewer: "Member") -> Standing:
    """Where `change` stands for `viewer`."""
    facts = gathering.gather(change.organization, [change])
    return stand(change, viewer, facts, list(change.decisions.all()))


def stand(change: ChangeRequest, viewer: "Member", facts: Facts, decisions: Sequence[Decision]) -> Standing:
    """`standing`, from facts that are there already."""
    asked = gathering.asked(change, facts)
    counted = approvers(change, asked, facts, list(decisions))
    said = {decision.person_id for decision in decisions}
    void = _void(facts, decisions) if change.is_open else {}
    need, trouble = _need(change, asked, facts)
    waits = change.is_open and not change.is_past_its_time
    people = tuple(
        PersonStanding(
            person.name, person.user_id == viewer.user_id, reason or void.get(person.user_id), person.user_id in said
        )
        for person in facts.people
        if (reason := why_not(person, asked, facts.level)) is None or _concerns(person, reason, asked, said)
    )
    able = [person for person in eligible(asked, facts) if person.user_id not in said]
    stoppable = change.is_delayed or _is_held_up(change, facts)
    bar = _bar(change, viewer, asked, facts, said, stoppable=stoppable)
    given = len(counted) if change.is_open else sum(decision.approved for decision in decisions)
    return Standing(
        given=given,
        needed=_needed(need, counted, given),
        people=people,
        can_decide=bar == "",
        why_not=bar,
        can_cancel=waits and (change.state == "pending" or stoppable) and may_cancel(change, viewer, facts),
        stuck=trouble or (_stuck(change, asked, need, counted, able, facts) if waits else ""),
        vouchers=tuple(person.name for person in able if may_vouch(person, asked)) if need.voucher else (),
        takes_power=asked.takes_power,
        frees=bool(asked.frees),
        has_decided=viewer.user_id in said,
        void=void[viewer.user_id].you if viewer.user_id in void else "",
        counted=frozenset(person.user_id for person in counted),
        is_barred=(own := gathering.person(facts, viewer.pk)) is None or why_not(own, asked, facts.level) is not None,
        groups=_groups(need, counted, facts),
        delay_hours=need.delay_hours,
        can_stop=stoppable and bar == "",
        is_denied=need.is_denied,
    )


def progress(changes: Iterable[ChangeRequest], facts: Facts, decisions: Iterable[Decision]) -> dict[int, Progress]:
    """Given and needed approvals of each of `changes`, by primary key, without asking the database."""
    by_change: dict[int, list[Decision]] = {}
    for decision in decisions:
        by_change.setdefault(decision.change_id, []).append(decision)
    shown = list(changes)
    _read_ahead(change for change in shown if change.is_open)
    measure_ahead(shown, facts)
    found = {}
    for change in shown:
        mine = by_change.get(change.pk, [])
        if change.is_open:
            asked = gathering.asked(change, facts)
            need, _ = _need(change, asked, facts)
            counted = approvers(change, asked, facts, mine)
            needed = _needed(need, counted, len(counted))
            found[change.pk] = Progress(len(counted), needed, _groups(need, counted, facts))
        else:
            given = sum(decision.approved for decision in mine)
            found[change.pk] = Progress(given, max(change.approvals_required, given if change.required.groups else 0))
    return found


def _groups(need: Need, counted: Sequence[Person], facts: Facts) -> tuple[GroupStanding, ...]:
    return tuple(
        GroupStanding(facts.groups.get(group, LOST), len(members(counted, group)), count)
        for group, count in need.groups
    )


def _needed(need: Need, counted: Sequence[Person], given: int) -> int:
    """As many as it takes at least, whoever they are: what is missing of one group may serve for all."""
    if not need.groups:
        return need.approvals
    missing = [need.approvals - len(counted), *(count - len(members(counted, group)) for group, count in need.groups)]
    return given + max(0, *missing)


def _read_ahead(changes: Iterable[ChangeRequest]) -> None:
    """One statement for all requests of which each would need one; of other operations with the same reader too."""
    wanted: dict[Callable[[Sequence[Any]], None], list[Any]] = {}
    for change in changes:
        try:
            entry = registry.get(change.operation)
            if entry.reads_ahead is not None:
                wanted.setdefault(entry.reads_ahead, []).append(payload.decode(entry.params, change.params))
        except (registry.Unregistered, payload.Unreadable):
            continue
    for read, params in wanted.items():
        read(params)


def _need(change: ChangeRequest, asked: Asked, facts: Facts) -> tuple[Need, str]:
    if not change.is_open:
        return still_needed(change.required, Need(0)), ""
    try:
        return still_needed(change.required, approvals_needed(asked, facts.policies)), ""
    except Refused as refused:
        return still_needed(change.required, Need(0)), refused.message


def _void(facts: Facts, decisions: Sequence[Decision]) -> dict[int, Reason]:
    """Why the yes of each of these people counts no more, by person, where it does not."""
    given = {decision.person_id: decision.at for decision in decisions if decision.approved}
    reasons = (
        (person.user_id, voided(person, given[person.user_id])) for person in facts.people if person.user_id in given
    )
    return {user_id: reason for user_id, reason in reasons if reason is not None}


def _is_held_up(change: ChangeRequest, facts: Facts) -> bool:
    """Whether it is approved and frozen; whether it was begun before that is asked of who is to stop it."""
    return change.state == "approved" and freezes.holding_up(change, facts) is not None


def _bar(
    change: ChangeRequest, viewer: "Member", asked: Asked, facts: Facts, said: set[int], *, stoppable: bool
) -> str:
    """Why `viewer` cannot decide, to them; empty if they can."""
    person = gathering.person(facts, viewer.pk)
    if change.state != "pending" and not stoppable:
        return "this request is closed" if not change.is_open else "approvals are complete"
    if change.is_past_its_time:
        return "its time is up"
    if viewer.user_id in said:
        return "you have already decided"
    if person is None:
        return Reason.NO_RIGHT.you
    reason = why_not(person, asked, facts.level)
    if reason is None and initiator_lack(change, asked):
        return "who asked for this may no longer ask"
    return reason.you if reason else ""


def _concerns(person: Person, reason: Reason, asked: Asked, said: set[int]) -> bool:
    """Whether it helps to list somebody who cannot decide: they would hold the right to, or could ask."""
    if person.user_id in said or reason is Reason.ONLY_ASKS:
        return True
    return person.is_active and person.holds(asked.workflow, Right.APPROVE, asked.account_id)


def _stuck(
    change: ChangeRequest, asked: Asked, need: Need, counted: Sequence[Person], able: Sequence[Person], facts: Facts
) -> str:
    lack = initiator_lack(change, asked)
    if lack:
        return f"{lack} The next decision cancels this request."
    if need.is_denied:
        return "A rule denies this by now, however many agree. It waits for that to change, or ends."
    for group, count in need.groups:
        missing = count - len(members((*counted, *able), group))
        if missing > 0:
            name = facts.groups.get(group, LOST)
            return f"It takes {phrases.counted(missing, 'more member')} of {name} who may approve this to finish it."
    short = need.approvals - len(counted) - len(able)
    if short > 0:
        return (
            f"It takes {phrases.counted(short, 'more member')} with Approve on {asked.workflow.title} to finish this."
        )
    if need.voucher and not is_met(need, (*counted, *able), asked):
        return "It takes an approver with Execute on Initiate Withdrawal to finish this."
    return ""


def _you_first(person: PersonStanding) -> bool:
    return not person.is_you
