"""Balances as a bot sees them: what withdrawals hold is off them, though the exchange does not know of it yet (K7)."""

from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal, localcontext
from typing import Final

import msgspec

from portal.venues.kraken.relay import raw
from portal.venues.kraken.relay.raw import Parts
from portal.venues.kraken.upstream.envelope import NOT_JSON, Answer
from portal.venues.kraken.upstream.outcomes import AnswerLost

METHODS: Final = frozenset({"Balance", "BalanceEx"})
BALANCE: Final = "balance"
# Of a balance, before its point and behind it; and as many as both need together.
MOST_PLACES: Final = 60
DIGITS: Final = 200

_TEXT: Final = msgspec.json.Decoder(str)


def net(method: str, answer: Answer, holds: Mapping[str, Decimal]) -> Answer:
    """The answer less the holds, never below zero, with as many decimals as the exchange writes.

    Without a hold of an asset in it the answer is the one that came. Raises: AnswerLost if it cannot be read.
    """
    if answer.errors or not holds:
        return answer
    rows = raw.parts(answer.result)
    changed = {asset: _less(method, rows[asset], held) for asset, held in holds.items() if asset in rows and held}
    return raw.with_result(answer, {**rows, **changed}) if changed else answer


def _less(method: str, row: msgspec.Raw, held: Decimal) -> msgspec.Raw:
    if method == "Balance":
        return _lowered(row, held)
    members: Parts = raw.parts(row)
    if BALANCE in members:
        members[BALANCE] = _lowered(members[BALANCE], held)
    return msgspec.Raw(msgspec.json.encode(members))


def _lowered(number: msgspec.Raw, held: Decimal) -> msgspec.Raw:
    try:
        before = Decimal(_TEXT.decode(number))
    except (msgspec.MsgspecError, ArithmeticError) as error:
        raise AnswerLost(NOT_JSON) from error
    exponent = before.as_tuple().exponent
    if not isinstance(exponent, int) or not (exponent >= -MOST_PLACES and before.adjusted() <= MOST_PLACES):
        raise AnswerLost(NOT_JSON)
    with localcontext(prec=DIGITS):
        # With the exponent of what the exchange wrote.
        after = max(before - held, Decimal(0)).quantize(before, ROUND_DOWN)
    return msgspec.Raw(msgspec.json.encode(f"{after:f}"))
