"""Second factors of the cast, as their phones would show them."""

from django.utils import timezone

from accounts.factors import totp
from accounts.models import Authenticator, Member
from policies.models import ChangeRequest
from portal.core.http import Proof


def code(member: Member) -> str:
    """The code the Member's app shows now. Earlier use of it is forgotten, so that tests need not wait."""
    device = Authenticator.objects.get(user=member.user)
    device.last_step, device.earlier_steps = -1, []
    device.throttle_reset(commit=False)
    device.save()
    return totp.current_code(member.user)


def proof(change: ChangeRequest | None = None) -> Proof:
    """A second factor shown just now, bound to `change` when given."""
    if change is None:
        return Proof(factor="totp", at=timezone.now())
    return Proof(factor="totp", at=timezone.now(), change=change.reference, digest=change.digest)
