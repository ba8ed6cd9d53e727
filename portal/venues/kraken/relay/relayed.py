"""One call of a bot on its whole way: refused or narrowed, sent, and its answer checked and given back."""

from typing import Final

from portal.core.errors import Refused
from portal.venues.kraken import holds
from portal.venues.kraken.relay import balances, line, methods, sending
from portal.venues.kraken.upstream.envelope import Answer
from portal.venues.relaying import RelayedAnswer, RelayedCall

JSON: Final = "application/json"


def relayed(call: RelayedCall) -> RelayedAnswer:
    """See Relaying.relay."""
    methods.refuse_unserved(call.method)
    if call.seen_from is not None or call.seen_before is not None:
        raise Refused("A key with a query window cannot be served yet.")
    held = line.line(call.account_id, call.service_user_id, call.method)
    with held.in_order(call.method):
        return _given_back(_answered(held, call))


def _answered(held: line.Line, call: RelayedCall) -> Answer:
    if call.method in balances.METHODS:
        # Before it is asked: what is sent meanwhile is taken off twice for a moment, never not at all.
        holding = holds.holds(call.account_id)
        return balances.net(call.method, sending.carry_out(held, call.method, call.fields), holding)
    return sending.carry_out(held, call.method, call.fields)


def _given_back(answer: Answer) -> RelayedAnswer:
    return RelayedAnswer(answer.body, answer.media_type if answer.result is None else JSON, answer.errors)
