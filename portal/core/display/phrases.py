"""Numbers and lists as a sentence says them."""

from collections.abc import Sequence
from datetime import datetime


def counted(number: int, noun: str) -> str:
    """`1 approval`, `2 approvals`, `1,024 addresses`: in digits, wherever a number can be another one."""
    plural = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{plural}"


def listed(names: Sequence[str]) -> str:
    """`Ana`, `Ana and Ben`, `Ana, Ben and Cleo`; nothing for nobody."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def dated(at: datetime) -> str:
    """`1 Dec 2026, 09:05`, as pages and mails both say it."""
    return f"{at.day} {at:%b %Y, %H:%M}"
