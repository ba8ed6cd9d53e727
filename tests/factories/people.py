"""Second factors of the cast, as their phones would show them."""

from django.utils import timezone

from accounts.factors import trust
from accounts.models import Authenticator, Member, Organization, User
from accounts.models.second_factor import code_at, current_step
from policies.models import ChangeRequest
from portal.core.secrets.sealing import unseal
from portal.core.web.http import Proof


def code(member: Member) -> str:
    """The code the Member's app shows now. Earlier use of it is forgotten, so that tests need not wait."""
    device = Authenticator.objects.get(user=member.user, places=member)
    device.last_step, device.earlier_steps = -1, []
    device.throttle_reset(commit=False)
    device.save()
    return code_at(unseal(device.sealed_seed, place=device.place), current_step())


def also_in(organization: Organization, user: User, **fields: object) -> Member:
    """A further place of that person, in which all that they hold counts."""
    member = Member.objects.create(organization=organization, user=user, joined_at=timezone.now(), **fields)
    trust.count_all(member)
    return member


def proof(change: ChangeRequest | None = None) -> Proof:
    """A second factor shown just now, bound to `change` when given."""
    if change is None:
        return Proof(factor="totp", at=timezone.now())
    return Proof(factor="totp", at=timezone.now(), change=change.reference, digest=change.digest)
