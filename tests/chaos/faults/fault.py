"""What a fault is."""

import random
from dataclasses import dataclass, field
from typing import ClassVar

from tests.chaos.installation.nodes import Node
from tests.chaos.installation.whole import Installation


@dataclass
class Fault:
    """Something that breaks at `begin`, is put right at `end` some seconds later, and is over when `is_mended` says so.

    Beside its own check, it is over only when the installation as a whole is well. `rounds` are how often it happens in
    a row, with calm in between, so that both can be compared.
    """

    there: Installation
    chance: random.Random
    what: str = field(default="", init=False)

    name: ClassVar[str]
    seconds: ClassVar[float] = 0.0
    rounds: ClassVar[int] = 1

    def begin(self) -> None:
        """Break it."""
        raise NotImplementedError

    def end(self) -> None:
        """Put right what does not come right by itself."""

    def is_mended(self) -> bool:
        """Whether its own consequences are gone."""
        return True

    def a_node(self) -> Node:
        """One of the nodes."""
        return self.chance.choice(list(self.there.nodes))
