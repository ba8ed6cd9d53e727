"""Which decisions were really made: those that the history knows; and whose of them count now.

A row of a decision can be written by whoever owns the database; its event cannot, since it is sealed under a key that
the database does not hold (security AU-4).
"""

from datetime import timedelta
from typing import Final

from policies.changes import transitions
from policies.models import ChangeRequest, Decision
from policies.rules import Asked, Facts, Person, voided, why_not
from portal.audit.chain import is_genuine
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.core.actors import MEMBER, portal
from portal.core.clocks import SKEW

# A decision is never older than its request, but nodes' clocks differ.
EARLIER: Final = timedelta(minutes=5) + SKEW


def recorded(change: ChangeRequest) -> list[Decision]:
    """The decisions on a request that count: each yes has its event, sealed as it was written. Two queries.

    A yes counts for the person whose membership gave it and for nobody else, so that one event is one person.
    Whatever else there is, is written into the history as refused, and counts for nobody.
    """
    decisions = list(change.decisions.select_related("member"))
    events = AuditEvent.objects.filter(
        organization_id=change.organization_id,
        at__gte=change.created_at - EARLIER,
        kind=EventKind.CHANGE_APPROVED.value,
        subject_kind="changerequest",
        subject_id=change.pk,
        actor_kind=MEMBER,
    ).select_related("chain")
    said = {(event.actor_id, event.data.get("digest")) for event in events if is_genuine(event)}
    made = [
        each
        for each in decisions
        if not each.approved or (each.person_id == each.member.user_id and (each.member_id, each.digest) in said)
    ]
    if len(made) < len(decisions):
        transitions.refuse_unrecorded(change, portal(change.organization_id), len(decisions) - len(made))
    return made


def approvers(change: ChangeRequest, asked: Asked, facts: Facts, decisions: list[Decision]) -> list[Person]:
    """Those whose yes counts now: to this very digest, by someone who still may decide (R4, security CR-7).

    One from before their factors were put anew, or from before they were removed, never counts again (M4, SI-8).
    """
    said_yes = {given.person_id: given.at for given in decisions if given.approved and given.digest == change.digest}
    if not said_yes:
        return []
    return [
        person
        for person in facts.people
        if person.user_id in said_yes
        and voided(person, said_yes[person.user_id]) is None
        and why_not(person, asked, facts.level) is None
    ]
