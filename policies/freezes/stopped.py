"""What a freeze stops: the one look at it, for whoever asks, approves and carries out."""

from typing import TYPE_CHECKING, Any

from policies import readability
from policies.registry import Operation
from policies.rules import Facts, Frozen, frozen_by
from portal.core.errors import Refused

if TYPE_CHECKING:
    from policies.models import ChangeRequest


def bar(change: "ChangeRequest", entry: Operation[Any], params: object, facts: Facts) -> str:
    """Why `change` is neither approved nor carried out now, by facts that were read under its lock; or empty."""
    found = _stopping(change, entry, params, facts)
    return found.words if found else ""


def refuse(change: "ChangeRequest", entry: Operation[Any], params: object, facts: Facts) -> None:
    """Raises: Refused where what is asked is frozen."""
    said = bar(change, entry, params, facts)
    if said:
        raise Refused(said)


def holding_up(change: "ChangeRequest", facts: Facts) -> Frozen | None:
    """The freeze that holds `change` up, or what follows from it; None where none does, or nobody can read it."""
    read = readability.read(change)
    return None if isinstance(read, str) else _stopping(change, read.entry, read.params, facts)


def _stopping(change: "ChangeRequest", entry: Operation[Any], params: object, facts: Facts) -> Frozen | None:
    if entry.defies_freezes or not facts.freezes:
        return None
    return frozen_by(facts.freezes, change.workflow, change.account_id, entry.destination(params))
