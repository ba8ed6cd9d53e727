"""Numbers and lists as a sentence says them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

WORDS: Final = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


def counted(number: int, noun: str) -> str:
    """`one approval`, `two approvals`, `12 approvals`."""
    word = WORDS[number].lower() if 0 <= number < len(WORDS) else str(number)
    return f"{word} {noun}" if number == 1 else f"{word} {noun}s"


def listed(names: Sequence[str]) -> str:
    """`Ana`, `Ana and Ben`, `Ana, Ben and Cleo`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def dated(at: datetime) -> str:
    """`1 Dec 2026, 09:05`, as pages and mails both say it."""
    return f"{at.day} {at:%b %Y, %H:%M}"
