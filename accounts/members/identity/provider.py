"""Who checks identities: a seam, so that a service can do what a colleague does now (DESIGN M3)."""

from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from accounts.models import IdentityCheck


@dataclass(frozen=True, slots=True)
class Document:
    """What a person shows of their identity. It is sealed as soon as it arrives."""

    full_name: str = field(repr=False)
    born_on: date = field(repr=False)
    country: str = field(repr=False)
    kind: str = field(repr=False)
    number: str = field(repr=False)
    expires_on: date = field(repr=False)


class Provider(Protocol):
    """Judges submissions. What it finds becomes a request to verify, decided like everything else."""

    @property
    def name(self) -> str:
        """What is written beside each check, for ever."""

    @property
    def promise(self) -> str:
        """One sentence to the person: who will look, and at what."""

    def submitted(self, check: IdentityCheck) -> None:
        """A check was stored; runs in its transaction, so what leaves the machine goes out after commit."""
