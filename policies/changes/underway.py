"""What is approved: whether it has come to its end outside the database, and whether it can still be stopped."""

from policies import freezes, registry
from policies.changes import staleness, transitions
from policies.models import ChangeRequest, State
from portal.core.actors import portal
from portal.core.errors import Unavailable


def settled(change: ChangeRequest) -> bool | None:
    """Whether an approved request has come to its end after all, which is then written (R5, R8).

    None while nobody can say, or while it is still underway; False if it was never begun.
    """
    try:
        done = registry.get(change.operation).done
        if done is None or not done(change=change):
            return False
    except registry.Unregistered:
        return False
    except Unavailable:
        return None
    except registry.WentWrong as failure:
        transitions.end(change, State.FAILED, by=portal(change.organization_id), reason=failure.message)
        return True
    transitions.end(change, State.EXECUTED, by=portal(change.organization_id))
    staleness.make_others_stale(change)
    return True


def can_be_stopped(change: ChangeRequest) -> bool:
    """Whether an approved request can still be rejected or taken back: in its delay, or frozen and not yet begun."""
    if change.is_delayed or change.state != State.APPROVED:
        return change.is_delayed
    is_frozen = freezes.of_request(change.reference) is not None
    return is_frozen and transitions.is_intact(change) and settled(change) is False
