"""One look at the exchange: within the portal's share of its limits, and never for longer than others can wait."""

from collections.abc import Mapping
from typing import Any, Final

from portal.core.errors import Unavailable
from portal.venues.kraken import calling, shares
from portal.venues.kraken.credentials.finding import Usable

SECONDS: Final = 8.0
LIMIT: Final = 4 * 1024 * 1024
LEDGER: Final = "query-ledger"


class NoShare(Unavailable):
    """The portal's share of the exchange's limits is used up for now: the next round asks."""


class NotAnswered(Unavailable):
    """The exchange answered with these error strings."""

    def __init__(self, errors: tuple[str, ...]) -> None:
        super().__init__(f"The exchange answered: {', '.join(errors)}.")
        self.errors = errors


def take_share(account_id: int, method: str) -> None:
    """Raises: NoShare."""
    if not shares.take(account_id, shares.PORTAL, method):
        raise NoShare("The portal has used its share of the exchange's limits for now.")


def result(credential: Usable, method: str, fields: Mapping[str, Any]) -> Any:  # noqa: ANN401  (whatever JSON can be)
    """What the exchange says to this credential of an Account.

    Raises: NotSent, AnswerLost, NotAnswered, NoShare; TransactionManagementError inside of a transaction.
    """
    take_share(credential.account_id or 0, method)
    answer = calling.ask(credential, method, fields, seconds=SECONDS, patience=SECONDS, limit=LIMIT)
    if answer.errors:
        raise NotAnswered(answer.errors)
    return answer.decoded()
