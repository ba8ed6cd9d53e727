"""Whether anything has come due for an Account, as a condition that the hot statements ask along."""

from datetime import datetime
from typing import Any, Final

from portal.core.database.at_hand import hand
from portal.core.database.prepared import fetch

# An order that was looked at under other prices than those in force is due, too (`orders.matching.due`). PostgreSQL
# counts on finding one soon, and would go through the orders of everybody for it if it were not asked for them in the
# order of one Account's index.
IS_DUE: Final = """
    EXISTS (SELECT 1 FROM (SELECT due_at, path FROM paper_order WHERE account_id = %(account)s AND status = 'open'
        ORDER BY due_at) AS open_order WHERE due_at <= %(moment)s OR path <> %(path)s)
    OR EXISTS (SELECT 1 FROM paper_deposit WHERE account_id = %(account)s AND entry_id IS NULL
        AND credit_at <= %(moment)s)
    OR EXISTS (SELECT 1 FROM paper_holding WHERE account_id = %(account)s AND due_at <= %(moment)s)
"""


def parameters(account_id: int, path: str, now: datetime) -> dict[str, Any]:
    """What IS_DUE is told; `path` names the prices in force."""
    return {"account": account_id, "path": path, "moment": hand.wrapper.ops.adapt_datetimefield_value(now)}


def is_due(account_id: int, path: str, now: datetime) -> bool:
    """Whether anything waits to be carried out for the Account, in one statement; `path` as for `parameters`."""
    [(found,)] = fetch(f"SELECT {IS_DUE}", parameters(account_id, path, now))
    return bool(found)
