"""Which second factors a person holds, and whether they are what an Organization asks for (DESIGN O4)."""

from typing import Final

from accounts.models import Authenticator, Member, Organization, Passkey, User
from accounts.models.organization import SecondFactorLevel
from portal.core.http import PASSKEY, STRONG, TOTP

# One of these opens the door once; it never counts as a factor held, and never serves at a step-up (security F-7).
RECOVERY_CODE: Final = "recovery"
WORDS: Final = {TOTP: "Authenticator app", PASSKEY: "Passkey", RECOVERY_CODE: "Recovery code"}


def held(user: User) -> frozenset[str]:
    """The kinds of strong factor that the person has confirmed."""
    has = {
        TOTP: Authenticator.objects.filter(user=user, confirmed=True).exists(),
        PASSKEY: Passkey.objects.filter(user=user, confirmed=True).exists(),
    }
    return frozenset(kind for kind, is_held in has.items() if is_held)


def accepted(organization: Organization) -> frozenset[str]:
    """The kinds that the Organization's level takes, at sign-in and at step-up."""
    return frozenset({PASSKEY}) if organization.second_factor_level == SecondFactorLevel.PASSKEY else STRONG


def meets(user: User, organization: Organization) -> bool:
    """Whether the person holds a factor that the Organization's level takes."""
    return bool(held(user) & accepted(organization))


def asked_by_memberships(user: User) -> list[frozenset[str]]:
    """What each Organization in which the person has a place takes; any one of each set meets it."""
    members = Member.objects.filter(user=user, removed_at=None).select_related("organization")
    return [accepted(member.organization) for member in members]
