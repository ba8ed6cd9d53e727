"""The statements of a signed call, as text: to spend its nonce, to count it, and to look at the key again.

One text for both databases: by primary key, and everything it relies on is checked again in it. The level leaks first,
then takes the cost, and stops at the cap, so that a flood blocks the key for seconds only.
"""

from functools import lru_cache
from typing import Final

from portal.core.database.prepared import LAZILY, PARAMETER
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
ROOM: Final = "calls <= %(maximum)s"
VERSION: Final = "SELECT version, last_nonce FROM accounts_apikey WHERE id = %(id)s"
# What the key's row is asked by. A question along with it must mean its own rows by other names.
OF_THE_KEY: Final = frozenset(found[1] for found in PARAMETER.finditer(SPEND)) | {"maximum"}


@lru_cache(maxsize=64)
def spending(question: Question | None, is_lazy: bool) -> str:
    """SPEND as PostgreSQL takes it: with the rows of a question beside the level, and without waiting for the disk.

    The rows are those of the moment in which the statement began.

    Raises: ValueError if a parameter of the question has the name of one that says which key it is.
    """
    spend = SPEND.replace("\nRETURNING", f"\n  AND {LAZILY}\nRETURNING") if is_lazy else SPEND
    if question is None:
        return spend
    if meant_twice := question.names & OF_THE_KEY:
        raise ValueError(f"Parameters of the key and of what is read along: {', '.join(sorted(meant_twice))}.")
    if question.is_one:
        return spend.replace("RETURNING calls", f"RETURNING {question.returned('calls', only_if=ROOM)}")
    return f"WITH spent AS ({spend}) {question.beside('spent', 'calls', only_if=f'spent.{ROOM}')}"
