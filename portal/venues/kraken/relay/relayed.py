"""One call of a bot on its whole way: refused or narrowed, sent, and its answer checked and given back."""

from collections.abc import Mapping
from typing import Any, Final

from portal.venues.kraken import holds
from portal.venues.kraken.relay import balances, exports, line, methods, raw, sending
from portal.venues.kraken.relay.windows import narrowing, positions, rows, window
from portal.venues.kraken.relay.windows.rows import Seen
from portal.venues.kraken.upstream.envelope import Answer
from portal.venues.kraken.upstream.room import room
from portal.venues.relaying import RelayedAnswer, RelayedCall

JSON: Final = "application/json"
# What a file may call itself; anything else is a file all the same.
FILES: Final = ("application/zip", "application/octet-stream")


def relayed(call: RelayedCall) -> RelayedAnswer:
    """See Relaying.relay."""
    methods.refuse_unserved(call.method)
    methods.refuse_other_spellings(call.fields)
    seen = rows.of(call, window.of(call.seen_from, call.seen_before))
    held = line.line(call.account_id, call.service_user_id, call.method)
    with room.one(call.account_id), held.in_order(call.method):
        fields = narrowing.narrowed(held, call, seen)
        answer = _answered(held, call, fields, seen)
        if answer.errors and answer.result is not None and _hides(call, seen):
            # Nobody looks through what stands beside an error.
            return _given_back(raw.without_result(answer))
        return _given_back(rows.checked(call, answer, seen))


def _answered(held: line.Line, call: RelayedCall, fields: Mapping[str, Any], seen: Seen) -> Answer:
    if call.method in exports.METHODS:
        return exports.carried_out(held, call, fields, seen.window)
    if call.method == "OpenPositions" and not seen.window.is_open:
        return positions.carried_out(held, call, fields, seen)
    if call.method in balances.METHODS:
        # Before it is asked: what is sent meanwhile is taken off twice for a moment, never not at all.
        holding = holds.holds(call.account_id)
        return balances.net(call.method, sending.carry_out(held, call.method, fields), holding)
    return sending.carry_out(held, call.method, fields)


def _hides(call: RelayedCall, seen: Seen) -> bool:
    """Whether something may have to be taken out of what is answered to such a call."""
    if call.method in exports.METHODS | balances.METHODS:
        return True
    return call.method in rows.CHECKS and not seen.is_everything


def _given_back(answer: Answer) -> RelayedAnswer:
    is_file = answer.result is None and not answer.errors
    media_type = (answer.media_type if answer.media_type in FILES else FILES[-1]) if is_file else JSON
    return RelayedAnswer(answer.body, media_type, answer.errors)
