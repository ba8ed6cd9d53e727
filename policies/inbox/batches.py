"""Several requests decided in one go: one second factor for exactly these, and a Decision of its own for each."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from policies import changes, readability
from policies.inbox import queues
from policies.models import ChangeRequest
from portal.core.errors import DomainError, Refused
from portal.core.web.http import Proof

if TYPE_CHECKING:
    from accounts.models import Member

# What a proof for several requests is bound to, in the place of the one request's reference.
BATCH: Final = "batch"
MOST_TOGETHER: Final = 20
MONEY_ALONE: Final = "Money is approved one request at a time."


@dataclass(frozen=True, slots=True, order=True)
class Seen:
    """One request and the digest that was shown of it."""

    reference: str
    digest: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one of them; `refusal` is empty where the Decision was taken."""

    seen: Seen
    change: ChangeRequest | None
    refusal: str = ""


def binding(chosen: Sequence[Seen], *, approved: bool) -> str:
    """The digest of one answer to exactly these requests, in whatever order they were chosen."""
    pairs = [[seen.reference, seen.digest] for seen in sorted(set(chosen))]
    return hashlib.sha256(json.dumps([approved, pairs], separators=(",", ":")).encode()).hexdigest()


def decide_all(
    chosen: Sequence[Seen], *, member: "Member", approved: bool, proof: Proof | None, reason: str = ""
) -> list[Outcome]:
    """Decide each of `chosen` by itself, in its own transaction, and say of each what came of it.

    One that ended, changed or was decided meanwhile stops none of the others. Approvals that move money are refused
    here: each takes a second factor of its own (security SU-2).

    Raises: Refused, before anything is decided, if `proof` was not shown for this answer to exactly these.
    """
    once = list(dict.fromkeys(chosen))
    if proof is None or not proof.is_for(BATCH, binding(once, approved=approved)):
        raise Refused("Show your second factor for these requests; another one does not serve.", field="code")
    if len(once) > MOST_TOGETHER:
        raise Refused(f"At most {MOST_TOGETHER} requests are decided together.")
    visible = queues.visible(member).filter(reference__in=[seen.reference for seen in once])
    known = {change.reference: change for change in visible}
    return [
        _decided(seen, known.get(seen.reference), member=member, approved=approved, proof=proof, reason=reason)
        for seen in once
    ]


def _decided(
    seen: Seen, change: ChangeRequest | None, *, member: "Member", approved: bool, proof: Proof, reason: str
) -> Outcome:
    if change is None:
        return Outcome(seen, None, "There is no such request.")
    if approved and readability.moves_money(change):
        return Outcome(seen, change, MONEY_ALONE)
    own = Proof(factor=proof.factor, at=proof.at, change=seen.reference, digest=seen.digest)
    try:
        decided = changes.decide(
            seen.reference, member=member, approved=approved, digest=seen.digest, proof=own, reason=reason
        )
    except DomainError as error:
        return Outcome(seen, change, error.message)
    return Outcome(seen, decided)
