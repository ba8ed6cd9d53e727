"""Waiting after the last approval, where a rule asks for that: it buys notice, and nothing else (DESIGN P7)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from policies.models import ChangeRequest, Decision
from policies.rules import Need, Person


def ready_at(
    change: ChangeRequest, need: Need, counted_now: Iterable[Person], made: Iterable[Decision]
) -> datetime | None:
    """When a request that has all its approvals may be carried out; None at once. It runs from the last that counts."""
    if not need.delay_hours:
        return None
    people = {person.user_id for person in counted_now}
    given = [decision.at for decision in made if decision.approved and decision.person_id in people]
    return max(given, default=change.created_at) + timedelta(hours=need.delay_hours)
