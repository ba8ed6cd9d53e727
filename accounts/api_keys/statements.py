"""The statements of a signed call, as text: to spend its nonce, to count it, and to look at the key again.

One text for both databases: by primary key, and everything it relies on is checked again in it. The level leaks first,
then takes the cost, and stops at the cap, so that a flood blocks the key for seconds only.
"""

from functools import lru_cache
from typing import Final

from portal.core.database.reading import Question

SPEND: Final = """
UPDATE accounts_apikey SET last_nonce = %(nonce)s,
  calls = CASE
    WHEN calls <= (%(now)s - calls_at) * %(decay)s THEN %(cost)s
    WHEN calls - (%(now)s - calls_at) * %(decay)s + %(cost)s < %(cap)s
      THEN calls - (%(now)s - calls_at) * %(decay)s + %(cost)s
    ELSE %(cap)s END,
  calls_at = %(now)s, last_used_at = %(at)s, last_used_ip = %(source)s, last_used_method = %(method)s
WHERE id = %(id)s AND version = %(version)s AND is_active
  AND (expires_at IS NULL OR expires_at > %(at)s) AND last_nonce < %(nonce)s
RETURNING calls
"""
# A message on a socket carries no nonce: the token that opened its way was asked for with one.
COUNT: Final = SPEND.replace(" last_nonce = %(nonce)s,", "").replace(" AND last_nonce < %(nonce)s", "")
# Whoever calls too often is told nothing, so that nothing is looked up for them either.
ROOM: Final = "spent.calls <= %(maximum)s"
VERSION: Final = "SELECT version, last_nonce FROM accounts_apikey WHERE id = %(id)s"
# PostgreSQL alone: for this one statement, which is a transaction, the commit does not wait for the disk. Asked of the
# row, since a question of its own takes four times as long; where there is no row to write, nothing is committed.
LAZILY: Final = "AND set_config('synchronous_commit', 'off', true) = 'off'"


@lru_cache(maxsize=64)
def spending(question: Question | None, is_lazy: bool) -> str:
    """SPEND as PostgreSQL takes it: with the rows of a question beside the level, and without waiting for the disk.

    The rows are those of the moment in which the statement began.
    """
    spend = SPEND.replace("\nRETURNING", f"\n  {LAZILY}\nRETURNING") if is_lazy else SPEND
    if question is None:
        return spend
    return f"WITH spent AS ({spend}) {question.beside('spent', 'calls', only_if=ROOM)}"
