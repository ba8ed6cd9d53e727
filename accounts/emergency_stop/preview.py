"""What a stop will do, in words, before it is pulled: to whom, what ends, who can lift it and when it lapses."""

from dataclasses import dataclass, replace
from typing import Final

from django.utils import timezone

from accounts.api_keys.streaming import sockets
from accounts.authentication import session_store
from accounts.emergency_stop.suspensions import ALONE_FOR
from accounts.models import ApiKey, Invitation, Member, ServiceUser
from policies.forecast import foresee
from policies.models import ChangeRequest
from policies.models.change import ChangeQuerySet
from policies.rules import WITHDRAW, Asked, Facts, Held, Person, is_locked
from policies.rules.dead_ends import worse
from policies.snapshot import gather
from policies.workflows import Right, Workflow
from portal.core.display import markup
from portal.core.display.descriptions import Fact
from portal.core.display.phrases import counted
from portal.core.errors import Refused

# Whoever would ask that it is lifted: nobody in particular, who does not finish alone.
ANYBODY: Final = Person(0, 0, "", grants=frozenset({Held(Workflow.MANAGE_ACCESS, Right.INITIATE)}))
MOST_WAITING: Final = 3


@dataclass(frozen=True, slots=True)
class Consequences:
    """Facts beside their labels, and what then waits for people who are missing, where a stop leaves that."""

    facts: tuple[Fact, ...]
    waiting: tuple[str, ...] = ()


def of_suspending(member: Member) -> Consequences:
    """The 72-hour emergency stop on a person."""
    facts = gather(member.organization, bots=True)
    out = tuple(replace(one, is_active=False) if one.member_id == member.pk else one for one in facts.people)
    person = facts.person(member.pk)
    protected = person is not None and person.holds_power
    waits = tuple(str(shortage) for shortage in worse(facts, replace(facts, people=out)))
    return Consequences(
        facts=(
            Fact("Signed out", _sessions(member)),
            Fact("Cancelled", _requests(ChangeRequest.objects.filter(member=member))),
            Fact("Ends by itself", markup.moment(timezone.now() + ALONE_FOR)),
            Fact("Lifted before", _lifting(facts, protected=protected, subject=member.user_id)),
            Fact("Told", "they themselves, and everybody who approves on Manage Access"),
        ),
        waiting=waits[:MOST_WAITING],
    )


def of_ending_sessions(member: Member) -> Consequences:
    """What follows from signing a Member out everywhere: nothing that lasts."""
    return Consequences(
        facts=(
            Fact("Signed out", _sessions(member)),
            Fact("After that", "they can sign in again at once. What they asked for stays open"),
            Fact("Again", "by you not before ten minutes are over"),
            Fact("Told", "they themselves, and everybody who approves on Manage Access"),
        )
    )


def of_suspending_bot(bot: ServiceUser) -> Consequences:
    """What follows from suspending a Service User: every key of it stops until that is lifted."""
    facts = gather(bot.organization)
    return Consequences(
        facts=(
            Fact("Stops", f"every key, from its next call on{_sockets(sockets.count_of_bot(bot))}"),
            Fact("Cancelled", _requests(ChangeRequest.objects.filter(service_user=bot))),
            Fact("Ends by itself", "never"),
            Fact("Lifted", _lifting(facts, protected=WITHDRAW in bot.permissions)),
            Fact("Told", "everybody who approves on Manage Access"),
        )
    )


def of_pausing(key: ApiKey) -> Consequences:
    """What follows from pausing one key: it alone stops until that is lifted."""
    bot = key.service_user
    return Consequences(
        facts=(
            Fact("Stops", f"{_of(key)}; it gets EAPI:Invalid key"),
            Fact("Cancelled", _requests(ChangeRequest.objects.filter(api_key=key))),
            Fact("Ends by itself", "never"),
            Fact("Lifted", _lifting(gather(bot.organization), protected=WITHDRAW in bot.permissions)),
            Fact("Told", "everybody who approves on Manage Access"),
        )
    )


def of_revoking(key: ApiKey, *, at_once: bool) -> Consequences:
    """What follows from revoking a key, by its custodian `at_once` or by a request."""
    told = "everybody who approves on Manage Access" if at_once else "whoever can approve this"
    return Consequences(
        facts=(
            Fact("Stops", _of(key)),
            Fact("Cancelled", _requests(ChangeRequest.objects.filter(api_key=key))),
            Fact("Lifted", "never: only a new key works again, with another secret"),
            Fact("Told", told),
        )
    )


def of_ending_overlap(key: ApiKey) -> Consequences:
    """What follows from ending the overlap of a rotated key before its time."""
    return Consequences(
        facts=(
            Fact("Stops", _of(key)),
            Fact("Cancelled", "nothing: what it asked for stays open"),
            Fact("Lifted", "never; the key that replaces it goes on"),
            Fact("Told", "everybody who approves on Manage Access"),
        )
    )


def of_taking_back(invitation: Invitation, *, at_once: bool) -> Consequences:
    """What follows from taking an invitation back, by who asked for it `at_once` or by a request."""
    agreed = invitation.approvals
    by = "nobody but who asked" if not agreed else "one other" if agreed == 1 else f"{agreed} others"
    return Consequences(
        facts=(
            Fact("Stops", f"the link that was mailed to {invitation.email}"),
            Fact("Agreed to by", by),
            Fact("Lifted", "never: only another invitation lets them in"),
            Fact("Told", "nobody by mail; it is in the history" if at_once else "whoever can approve this"),
        )
    )


def _sessions(member: Member) -> str:
    rows = [row for row in session_store.theirs(member.user) if row.member_id == member.pk]
    if not rows:
        return "nobody: they are not signed in here now"
    return "one session ends" if len(rows) == 1 else f"{len(rows)} sessions end"


def _of(key: ApiKey) -> str:
    closes = _sockets(sockets.count_of(key.pk))
    return f"{key.short} of {key.service_user.name}, from its next call on{closes}"


def _sockets(number: int) -> str:
    """That sockets are closed with it, if any are open."""
    return f", and {counted(number, 'open socket')}" if number else ""


def _requests(rows: ChangeQuerySet) -> str:
    waiting = rows.waiting().count()
    if not waiting:
        return "nothing: nothing waits that they asked for"
    return "one request that waits" if waiting == 1 else f"{waiting} requests that wait"


def _lifting(facts: Facts, *, protected: bool, subject: int | None = None) -> str:
    """Who could agree to lifting it, as far as that can be said now."""
    asked = Asked(Workflow.MANAGE_ACCESS, ANYBODY, subject=subject, protected=protected and is_locked(facts.policies))
    try:
        found = foresee(asked, facts)
    except Refused as error:
        return error.message
    whom = f"of {', '.join(found.people)}" if found.people else "and nobody can give one now"
    agree = counted(found.needed, "approval")
    return f"by a request: {agree} {whom}. Who may ask or approve on Manage Access asks for it"
