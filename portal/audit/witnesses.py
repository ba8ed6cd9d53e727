"""What other tables say must have been recorded: they notice a history that was cut short or taken away altogether.

A chain proves only what it still holds. Each app can name, for an Organization, what its own rows say happened and its
history does not know.
"""

from collections.abc import Callable, Iterator

Witness = Callable[[int], Iterator[str]]

_witnesses: list[Witness] = []


def witness(ask: Witness) -> Witness:
    """Have `ask(organization_id)` asked when the history is verified: it yields a sentence for each thing missing."""
    _witnesses.append(ask)
    return ask


def missing(organization_id: int) -> Iterator[str]:
    """Everything that the rows of an Organization say happened and that its history does not know."""
    for ask in _witnesses:
        yield from ask(organization_id)
