"""What the exchange says a withdrawal would take, asked with the withdrawing credential before anything is held."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from portal.core.errors import Unavailable
from portal.core.money import from_units
from portal.venues.errors import BelowMinimum
from portal.venues.kraken import calling
from portal.venues.kraken.credentials.finding import for_withdrawals
from portal.venues.kraken.reading import shapes, snapshots
from portal.venues.kraken.upstream.outcomes import AnswerLost, Meaning, NotSent
from portal.venues.kraken.upstream.room import asking
from portal.venues.types import Destination, WithdrawalMethod

SECONDS: Final = 10.0
OTHER_SHAPE: Final = "The exchange answered in a shape that this portal does not know."


def quote(
    account_id: int, method: WithdrawalMethod, destination: Destination, amount_units: int
) -> tuple[WithdrawalMethod, Decimal]:
    """The way out with the fee that the exchange takes of that amount now, and the most that could arrive by its word.

    Raises: BelowMinimum with the exchange's string where it would not take it; Unavailable if it does not answer.
    """
    asset = method.asset
    fields = {
        "asset": asset.id,
        "key": destination.key,
        "amount": f"{from_units(amount_units, asset.decimals):f}",
    }
    # A page waits no longer for this and all else that it asks together.
    seconds = max(snapshots.LEAST_SECONDS, min(SECONDS, snapshots.patience(SECONDS)))
    try:
        with asking(account_id):
            answer = calling.ask(for_withdrawals(account_id), "WithdrawInfo", fields, seconds=seconds, patience=seconds)
    except (NotSent, AnswerLost) as error:
        raise Unavailable(error.message) from error
    if answer.errors:
        words = f"The exchange says: {', '.join(answer.errors)}."
        raise BelowMinimum(words, field="amount") if answer.meaning is Meaning.REFUSED else Unavailable(words)
    result = answer.decoded()
    fee, limit = _number(result, "fee"), _number(result, "limit")
    return replace(method, fee=fee), limit


def units(amount: Decimal, decimals: int) -> int:
    """`amount` in the smallest unit that is kept; what is finer is left away, as with every limit."""
    return int(amount.scaleb(decimals))


def _number(result: Any, name: str) -> Decimal:  # noqa: ANN401  (whatever JSON can be)
    try:
        number = shapes.number(shapes.mapping(result), name)
    except shapes.OtherShape as error:
        raise Unavailable(OTHER_SHAPE) from error
    if number < 0:
        raise Unavailable(OTHER_SHAPE)
    return number
