"""Nonces of a credential: from one place for all processes, stored before they are sent."""

import time
from typing import Final

from portal.core.database.prepared import fetch

TAKE: Final = """
    UPDATE kraken_credential SET nonce = CASE WHEN nonce >= %(now)s THEN nonce + 1 ELSE %(now)s END
    WHERE id = %(id)s AND (stopped_at IS NULL OR %(though_stopped)s) AND removed_at IS NULL RETURNING nonce
"""


def take(credential_id: int, *, though_stopped: bool = False) -> int | None:
    """The next nonce: nanoseconds since 1970, or one above the last where that is ahead of the clock.

    None if the credential is removed by now, or stopped, unless somebody tries it again `though_stopped`. Outside of a
    transaction it is stored when this returns.
    """
    rows = fetch(TAKE, {"id": credential_id, "now": time.time_ns(), "though_stopped": though_stopped})
    return int(rows[0][0]) if rows else None
