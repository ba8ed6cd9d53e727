"""The terms on which people sign in to an Organization, and whom a change of them would reach (DESIGN O4)."""

from dataclasses import dataclass

from accounts.models import Organization
from accounts.models.organization import SecondFactorLevel
from policies import snapshot as gathering
from policies.rules import PASSKEY


@dataclass(frozen=True, slots=True)
class Security:
    """2FA level and session limits."""

    level: SecondFactorLevel
    idle_minutes: int
    absolute_hours: int

    def is_lower_than(self, other: "Security") -> bool:
        """Whether this level lets in who `other` would not."""
        return other.level == SecondFactorLevel.PASSKEY and self.level != SecondFactorLevel.PASSKEY


@dataclass(frozen=True, slots=True)
class Effect:
    """What a level means for one present Member."""

    name: str
    meets: bool
    words: str


def of(organization: Organization) -> Security:
    """The terms as they are, read now."""
    row = Organization.objects.get(pk=organization.pk)
    return Security(SecondFactorLevel(row.second_factor_level), row.idle_minutes, row.absolute_hours)


def effects(organization: Organization, level: SecondFactorLevel) -> tuple[Effect, ...]:
    """Every active Member, and whether they would meet `level` with what they hold now."""
    found = []
    for person in gathering.gather(organization).people:
        if person.is_active:
            meets = PASSKEY in person.factors if level == SecondFactorLevel.PASSKEY else bool(person.factors)
            lack = "has no passkey: must enrol one first" if person.factors else "has no factor: must enrol one first"
            found.append(Effect(person.name, meets, "signs in as now" if meets else lack))
    return tuple(found)
