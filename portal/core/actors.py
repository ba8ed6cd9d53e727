"""Who does something: a Member, a ServiceUser, the operator at the machine or the portal itself."""

from dataclasses import dataclass
from typing import Final, Protocol

MEMBER: Final = "member"
SERVICE_USER: Final = "service_user"
OPERATOR: Final = "operator"
PORTAL: Final = "portal"
STRANGER: Final = "stranger"


class Actor(Protocol):
    """Whoever an operation runs for and an AuditEvent names."""

    @property
    def kind(self) -> str:
        """One of the words above."""

    @property
    def pk(self) -> int:
        """Its key among its kind; zero where there is but one of a kind."""

    @property
    def label(self) -> str:
        """Its name as the history keeps it, whatever it is called later."""

    @property
    def organization_id(self) -> int | None:
        """The Organization it acts in; None for who stands above all of them."""


@dataclass(frozen=True, slots=True)
class Outsider:
    """An actor without a row: the operator, the portal's own clock, or somebody who has not signed in."""

    kind: str
    label: str
    organization_id: int | None = None
    pk: int = 0


def operator(organization_id: int | None = None) -> Outsider:
    """The person at the machine who runs a management command."""
    return Outsider(OPERATOR, "operator", organization_id)


def portal(organization_id: int | None = None) -> Outsider:
    """The portal itself, when time alone brings a change about."""
    return Outsider(PORTAL, "portal", organization_id)


def stranger(label: str) -> Outsider:
    """Somebody not signed in, under the name they gave."""
    return Outsider(STRANGER, label)
