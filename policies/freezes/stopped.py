"""What a freeze stops: the one look at it, for whoever asks, approves and carries out."""

from typing import Any

from policies import readability
from policies.models import ChangeRequest
from policies.registry import Operation
from policies.rules import Facts, Frozen, frozen_by
from policies.snapshot import freezes as frozen
from portal.core.errors import Refused


def bar(change: ChangeRequest, entry: Operation[Any], params: object, facts: Facts) -> str:
    """Why `change` is neither approved nor carried out now, by facts that were read under its lock; or empty."""
    found = _stopping(change, entry, params, facts)
    return found.words if found else ""


def refuse(change: ChangeRequest, entry: Operation[Any], params: object, facts: Facts) -> None:
    """Raises: Refused where what is asked is frozen."""
    said = bar(change, entry, params, facts)
    if said:
        raise Refused(said)


def holding_up(change: ChangeRequest, facts: Facts) -> Frozen | None:
    """The freeze that holds `change` up, or what follows from it; None where none does, or nobody can read it."""
    read = readability.read(change)
    return None if isinstance(read, str) else _stopping(change, read.entry, read.params, facts)


def of_request(reference: str) -> Frozen | None:
    """The freeze that holds the request of that reference up now, for whoever carries it out later; None for none."""
    change = ChangeRequest.objects.filter(reference=reference).first()
    if change is None:
        return None
    return holding_up(change, Facts(level="", freezes=frozen.now(change.organization_id)))


def _stopping(change: ChangeRequest, entry: Operation[Any], params: object, facts: Facts) -> Frozen | None:
    if entry.defies_freezes or not facts.freezes:
        return None
    return frozen_by(facts.freezes, change.workflow, change.account_id, entry.destination(params))
