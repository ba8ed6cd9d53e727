"""What a request says of itself on the pages where it is decided."""

from typing import Final

from policies import payload, registry
from policies.models import ChangeRequest
from portal.core import markup
from portal.core.describing import Description, Fact

ALWAYS_SAID: Final = ("Asked by", "Digest")


def agreed(change: ChangeRequest, description: Description | None) -> list[Fact]:
    """What one agrees to, said beside the buttons; whoever asked and the digest always are (security SU-3)."""
    own = [fact for fact in description.panel if fact.label not in ALWAYS_SAID] if description else []
    values = (markup.visible(change.initiator_label), markup.digest(change.digest, short=True))
    return [*own, *(Fact(label, value) for label, value in zip(ALWAYS_SAID, values, strict=True))]


def described(change: ChangeRequest) -> Description | None:
    """The request in words; None if its params cannot be read, as those of an altered row."""
    try:
        return registry.get(change.operation).describe(change)
    except payload.Unreadable:
        return None
