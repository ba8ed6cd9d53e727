"""What the exchange lists (`WithdrawAddresses`), asked with the credential that withdraws, and kept as it was said."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from portal.core.database.one_reading import once
from portal.core.errors import Unavailable
from portal.venues.kraken import calling
from portal.venues.kraken.credentials import finding
from portal.venues.kraken.models import TROUBLE_LENGTH, Snapshot
from portal.venues.kraken.reading import snapshots
from portal.venues.kraken.upstream.envelope import Answer
from portal.venues.kraken.upstream.outcomes import AnswerLost
from portal.venues.types import AddressListing, ListedAddress

METHOD: Final = "WithdrawAddresses"
PART: Final = "withdraw-addresses"
PERMISSION: Final = "withdraw-funds"
# The next withdrawal of the same credential waits for it; a page only as long as for everything else.
SECONDS: Final = 8.0
LIMIT: Final = 4 * 1024 * 1024
MOST: Final = 5000
LONGEST: Final = 200
# In one statement: a page waits for it.
KEEP: Final = """
    INSERT INTO kraken_snapshot (account_id, exchange, part, answer, read_at, tried_at, trouble)
    VALUES (%(account)s, '', %(part)s, %(answer)s, %(read_at)s, %(tried_at)s, %(trouble)s)
    ON CONFLICT (account_id, part) DO UPDATE SET
        answer = CASE WHEN excluded.read_at IS NULL THEN kraken_snapshot.answer ELSE excluded.answer END,
        read_at = COALESCE(excluded.read_at, kraken_snapshot.read_at),
        tried_at = excluded.tried_at,
        trouble = excluded.trouble
    WHERE kraken_snapshot.read_at IS NULL OR kraken_snapshot.read_at < excluded.tried_at
"""
NEVER: Final = "The exchange's own addresses were never read."
OTHER_SHAPE: Final = "The exchange lists its addresses in a shape that this portal does not know."


def last_said(account_ids: Collection[int]) -> dict[int, AddressListing]:
    """What it last said of each Account, in one statement."""
    rows = Snapshot.objects.filter(account__in=account_ids, part=PART)
    found = {row.account_id: _listing(row) for row in rows if row.account_id is not None}
    return {account_id: found.get(account_id, AddressListing(trouble=NEVER)) for account_id in account_ids}


def last_said_of(account_id: int) -> AddressListing:
    """The same of one Account, once for each page."""
    return once(("addresses at the exchange", account_id), lambda: last_said([account_id])[account_id])


def ask(account_id: int) -> AddressListing:
    """Ask anew and keep what comes; what was last said, with the trouble, where nothing does.

    Raises: TransactionManagementError inside of a transaction.
    """
    began = timezone.now()
    trouble, answer = "", ""
    try:
        answer = _asked(account_id)
    except Unavailable as error:
        trouble = error.message[:TROUBLE_LENGTH]
    return _listing(_keep(account_id, began, answer, trouble))


def read(result: Any) -> tuple[ListedAddress, ...]:  # noqa: ANN401  (whatever JSON can be)
    """The rows of an answer. Raises: AnswerLost for what is none."""
    if not isinstance(result, list) or len(result) > MOST:
        raise AnswerLost(OTHER_SHAPE)
    return tuple(_row(row) for row in result)


def _asked(account_id: int) -> str:
    credential = finding.for_looking(account_id, PERMISSION)
    seconds = max(snapshots.LEAST_SECONDS, snapshots.patience(SECONDS))
    answer = calling.ask(credential, METHOD, seconds=seconds, patience=seconds, limit=LIMIT)
    if answer.errors:
        raise Unavailable(f"The exchange answered: {', '.join(answer.errors)}.")
    read(answer.decoded())
    return (answer.result or b"").decode()


def _keep(account_id: int, began: datetime, answer: str, trouble: str) -> Snapshot:
    """Of two answers the one counts that was asked for later."""
    at = connection.ops.adapt_datetimefield_value
    given: dict[str, Any] = {"account": account_id, "part": PART, "answer": answer, "trouble": trouble}
    given |= {"tried_at": at(began), "read_at": at(began) if answer else None}
    with connection.cursor() as cursor:
        cursor.execute(KEEP, given)
    return Snapshot.objects.get(account=account_id, part=PART)


def _listing(row: Snapshot) -> AddressListing:
    if not row.answer:
        return AddressListing(trouble=row.trouble or NEVER)
    try:
        rows = read(Answer(b"", "", (), (), row.answer.encode()).decoded())
    except AnswerLost as error:
        return AddressListing(trouble=error.message)
    return AddressListing(rows, row.read_at, row.trouble)


def _row(row: Any) -> ListedAddress:  # noqa: ANN401
    if not isinstance(row, Mapping):
        raise AnswerLost(OTHER_SHAPE)
    return ListedAddress(
        key=_text(row, "key"),
        asset=_text(row, "asset"),
        method=_text(row, "method"),
        address=_text(row, "address"),
        memo=_text(row, "memo", "tag", is_needed=False),
        is_verified=row.get("verified") is True,
    )


def _text(row: Mapping[str, Any], *names: str, is_needed: bool = True) -> str:
    found = next((row[name] for name in names if row.get(name) not in (None, "")), None)
    if found is None and not is_needed:
        return ""
    if not isinstance(found, str | int) or isinstance(found, bool) or len(str(found)) > LONGEST:
        raise AnswerLost(OTHER_SHAPE)
    return str(found)
