"""Starting points for a new Service User: they fill the form, and are forgotten (DESIGN M2 in spirit)."""

from dataclasses import dataclass
from typing import Final

from accounts.models.service_user import Permission


@dataclass(frozen=True, slots=True)
class StartingPoint:
    """What a form is filled with."""

    key: str
    title: str
    text: str
    permissions: tuple[Permission, ...]
    purpose: str


READING: Final = (Permission.QUERY_FUNDS, Permission.QUERY_OPEN, Permission.QUERY_CLOSED, Permission.QUERY_LEDGER)
STARTING_POINTS: Final = (
    StartingPoint(
        "trading-bot",
        "Trading bot",
        "reads, places and cancels orders; moves no money",
        (Permission.QUERY_FUNDS, Permission.QUERY_OPEN, Permission.QUERY_CLOSED, Permission.MODIFY, Permission.CLOSE),
        "Trades",
    ),
    StartingPoint(
        "treasury-script",
        "Treasury script",
        "reads, deposits and asks to withdraw; places no orders",
        (Permission.QUERY_FUNDS, Permission.DEPOSIT, Permission.WITHDRAW, Permission.QUERY_LEDGER),
        "Moves funds to approved addresses",
    ),
    StartingPoint(
        "reporting",
        "Reporting",
        "reads the ledger and closed orders, and makes exports",
        (Permission.QUERY_CLOSED, Permission.QUERY_LEDGER, Permission.EXPORT),
        "Reports and accounting",
    ),
    StartingPoint("read-only", "Read only", "reads everything, changes nothing", READING, "Watches"),
)


def starting_point(key: str | None) -> StartingPoint | None:
    """The one of that name, if there is one."""
    return next((point for point in STARTING_POINTS if point.key == key), None)
