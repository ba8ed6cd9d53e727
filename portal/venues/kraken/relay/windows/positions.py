"""Open positions for a key with a query window: consolidated ones are shown only where the window hides none."""

from collections.abc import Mapping
from typing import Any

from portal.venues.errors import NotSeen
from portal.venues.kraken.relay import raw, sending
from portal.venues.kraken.relay.line import Line
from portal.venues.kraken.relay.values import text
from portal.venues.kraken.relay.windows import rows
from portal.venues.kraken.relay.windows.rows import Seen
from portal.venues.kraken.upstream.envelope import Answer
from portal.venues.relaying import RelayedCall

CONSOLIDATION = "consolidation"


def carried_out(line: Line, call: RelayedCall, fields: Mapping[str, Any], seen: Seen) -> Answer:
    """The positions that the key may see, consolidated if that was asked for.

    Raises: NotSeen where consolidated ones would tell of some that it may not see; as `sending.carry_out`.
    """
    single = {name: value for name, value in fields.items() if name != CONSOLIDATION}
    answer = sending.carry_out(line, call.method, single)
    if not text(fields, CONSOLIDATION) or answer.errors:
        return answer
    # Without any the exchange answers an empty list instead of an empty object.
    there = {} if answer.result == b"[]" else raw.parts(answer.result)
    left = rows.left_of(there, seen.position)
    if not left:
        return raw.with_result(answer, [])
    if len(left) < len(there):
        raise NotSeen("Consolidated positions tell of some that the key may not see.", field=CONSOLIDATION)
    return sending.carry_out(line, call.method, fields)
