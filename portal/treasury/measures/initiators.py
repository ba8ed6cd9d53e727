"""Who asks for a withdrawal, as lists and sums name them."""

from typing import TYPE_CHECKING

from policies.rules.language import MEMBER, SERVICE_USER, initiator_id

if TYPE_CHECKING:
    from policies.models import ChangeRequest


def initiator_of(change: "ChangeRequest") -> str:
    """Who asks, as lists and sums name them."""
    if change.member_id is not None:
        return initiator_id(MEMBER, change.member_id)
    return initiator_id(SERVICE_USER, change.service_user_id or 0)
