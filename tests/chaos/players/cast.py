"""Who takes part: one Organization with people who approve, an Account for each bot, and their keys."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tests.serving import HOST
from tests.soak.player import Player

BASE_URL: Final = f"https://{HOST}"
ORGANIZATION: Final = "Northwind Treasury"
PASSWORD: Final = "a long walk by the harbour"
OWNER: Final = "olive@northwind.test"
APPROVERS: Final = {"ben": "Ben Adeyemi", "cleo": "Cleo Novak", "fay": "Fay Lindholm", "ida": "Ida Holm"}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs in: their address, and what their authenticator app computes codes from."""

    email: str
    seed: str


@dataclass(frozen=True, slots=True)
class Cast:
    """All of them. Listeners have a key of their own for the Account of each bot: two programs never share one."""

    players: Sequence[Player]
    listeners: Sequence[Player]
    people: Sequence[Person]

    def write(self, path: Path) -> None:
        """For the programs that play them."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)))


def read(path: Path) -> Cast:
    """As it was written."""
    held: Mapping[str, list[dict[str, object]]] = json.loads(path.read_text())
    players, listeners = (
        [Player(**row) for row in held[name]]  # type: ignore[arg-type]
        for name in ("players", "listeners")
    )
    return Cast(players, listeners, [Person(**row) for row in held["people"]])  # type: ignore[arg-type]
