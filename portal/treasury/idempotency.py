"""What a member reviewed before sending: named so that it asks once, and compared so that nothing else is asked."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from policies import payload
from policies.models import ChangeRequest
from portal.core.actors import Actor
from portal.core.errors import Conflict
from portal.core.web.http import Proof, refuse_sending_unproved

if TYPE_CHECKING:
    from portal.treasury.operations import Withdraw


@dataclass(frozen=True, slots=True)
class SentForm:
    """`name` is drawn for one review; `digest` covers what it showed; `proof` was shown for both, or not at all."""

    name: str
    digest: str
    proof: Proof | None


def digest_of(params: "Withdraw") -> str:
    """SHA-256 over all that would be sent where, as 64 hexadecimal digits."""
    return hashlib.sha256(msgspec.json.encode(payload.encode(params), order="sorted")).hexdigest()


def answer_to(name: str, *, member: Actor) -> ChangeRequest | None:
    """What `member` asked for with the form of that name, if it was sent before."""
    rows = ChangeRequest.objects.filter(withdrawal__asked_as=name, member=member.pk)
    return rows.select_related("withdrawal").first()


def refuse_other(form: SentForm, params: "Withdraw") -> None:
    """Raises: Conflict if what would be asked is not what was reviewed, to the letter."""
    if not hmac.compare_digest(form.digest.encode(), digest_of(params).encode()):
        raise Conflict("The address or the fee has changed since you looked. Read it again before you ask.")


def refuse_unproved(form: SentForm | None) -> None:
    """Raises: Refused unless a second factor was shown in the last minutes for this very form (security SU-2)."""
    sent = form or SentForm(name="", digest="", proof=None)
    refuse_sending_unproved(sent.proof, sent.name, sent.digest)
