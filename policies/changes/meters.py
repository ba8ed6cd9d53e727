"""What is counted of requests, once the transaction that it happened in has committed."""

from functools import partial
from typing import Final

from django.db import transaction

from policies.models import ChangeRequest, State
from policies.models.change import OPEN_STATES
from policies.workflows import Workflow
from portal.core.observing.meters import Counter

OF_WORKFLOW: Final = {"workflow": tuple(each.value for each in Workflow)}
ASKED: Final = Counter("countersign_requests_asked_total", "Requests that were made, by workflow.", OF_WORKFLOW)
ENDED: Final = Counter(
    "countersign_requests_ended_total",
    "Requests that came to their end, by workflow and by how.",
    {**OF_WORKFLOW, "state": tuple(each.value for each in State if each not in OPEN_STATES)},
)
DECISIONS: Final = Counter(
    "countersign_decisions_total",
    "Decisions of members on requests, by workflow.",
    {**OF_WORKFLOW, "decision": ("approved", "rejected")},
)


def asked(change: ChangeRequest) -> None:
    """One more was made."""
    transaction.on_commit(partial(ASKED.add, change.workflow))


def ended(change: ChangeRequest) -> None:
    """It came to the state in which it is now."""
    transaction.on_commit(partial(ENDED.add, change.workflow, str(change.state)))


def decided(change: ChangeRequest, *, approved: bool) -> None:
    """Somebody said yes or no to it."""
    transaction.on_commit(partial(DECISIONS.add, change.workflow, "approved" if approved else "rejected"))
