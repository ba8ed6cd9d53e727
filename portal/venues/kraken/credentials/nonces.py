"""Nonces of a credential: from one place for all processes, stored before they are sent."""

import time
from typing import Final

from portal.core.database.prepared import fetch

TAKE: Final = """
    UPDATE kraken_credential SET nonce = CASE WHEN nonce >= %(now)s THEN nonce + 1 ELSE %(now)s END
    WHERE id = %(id)s AND stopped_at IS NULL AND removed_at IS NULL RETURNING nonce
"""


def take(credential_id: int) -> int | None:
    """The next nonce: nanoseconds since 1970, or one above the last where that is ahead of the clock.

    None if the credential is stopped or removed by now. Outside of a transaction it is stored when this returns.
    """
    rows = fetch(TAKE, {"id": credential_id, "now": time.time_ns()})
    return int(rows[0][0]) if rows else None
