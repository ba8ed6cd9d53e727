"""Looking for a withdrawal whose answer was lost.

A call under a later nonce of the same credential comes first: once it is answered, the lost one cannot be accepted any
more, so what the exchange lists is all there will be, apart from what it still writes.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final

from django.utils import timezone

from portal.core.money import from_units
from portal.venues.kraken import calling
from portal.venues.kraken.credentials.finding import Usable
from portal.venues.kraken.models import TROUBLE_LENGTH, Look, Step, Withdrawal
from portal.venues.kraken.upstream.outcomes import AnswerLost, NotSent
from portal.venues.kraken.withdrawals import finding, outcomes
from portal.venues.kraken.withdrawals.matching import SKEW, Listed, Sought, candidates, listed, plain_asset

PAGE: Final = 500
MOST_PAGES: Final = 40
# Of one page, where an exchange does not keep to `PAGE`.
MOST_ROWS: Final = 5_000
TOO_MUCH: Final = "The exchange lists more than is read."
# A look that did not hear the exchange is done again after so long.
UNHEARD: Final = timedelta(seconds=20)
SHOWN: Final = 50
LONGEST: Final = 500


class NotHeard(Exception):
    """The exchange did not say what it has; `args` holds why."""


def look(rows: Sequence[Withdrawal], credential: Usable) -> None:
    """Search once for all of these, in the credential's lane, which the caller holds; write what each comes to."""
    rows = [row for row in rows if row.step in (Step.LOST, Step.UNKNOWN)]
    if not rows:
        return
    at, nonce = timezone.now(), credential.next_nonce()
    try:
        found = list(_listed(credential, min(since(row) for row in rows), nonce))
    except NotHeard as unheard:
        for row in rows:
            _note(row, at, nonce, trouble=str(unheard))
            outcomes.not_heard(row.pk, again=UNHEARD)
        return
    for row in rows:
        # Within its window the exchange takes a lower nonce all the same.
        is_fenced = row.credential_id == credential.id and not credential.has_window
        conclude(row, found, at=at, nonce=nonce, is_fenced=is_fenced)


def conclude(
    row: Withdrawal, found: Sequence[Listed], *, at: datetime, nonce: int | None, is_fenced: bool
) -> list[Listed]:
    """Adopt the one row that could be it, or leave it open; note what was listed. The rows that could be it."""
    could_be = those_that_could_be(row, found)
    alike = [each for each in found if plain_asset(each.asset) == plain_asset(row.asset) and each.at >= since(row)]
    _note(row, at, nonce, listed=alike, found=could_be)
    if len(could_be) == 1 and outcomes.adopted(row.pk, could_be[0]):
        return could_be
    if not (is_fenced or could_be or row.is_not_done):
        # Its credential is gone, or has a window: nothing keeps the lost call from arriving yet.
        outcomes.not_heard(row.pk, again=UNHEARD)
    else:
        outcomes.not_found(row.pk, several=len(could_be) > 1)
    return could_be


def those_that_could_be(row: Withdrawal, found: Sequence[Listed]) -> list[Listed]:
    """Of what the exchange lists, what could be this withdrawal and is known to be no other."""
    could_be = candidates(sought(row), found, known=())
    known = finding.known_refids([each.refid for each in could_be], but=row.pk)
    return [each for each in could_be if each.refid not in known]


def unheard(row: Withdrawal, why: str) -> None:
    """Note a look that could not be made."""
    _note(row, timezone.now(), None, trouble=why)
    outcomes.not_heard(row.pk, again=UNHEARD)


def sought(row: Withdrawal) -> Sought:
    """What the exchange would list."""
    return Sought(
        asset=row.asset,
        key=row.key,
        address=row.address,
        amount=from_units(row.amount_units, row.decimals),
        since=agreed_at(row),
    )


def every_row(credential: Usable, start: datetime, nonce: int | None = None) -> list[Listed]:
    """The exchange's list from then on, newest first, in the credential's lane, which the caller holds.

    Raises: NotHeard.
    """
    return list(_listed(credential, start, nonce))


def since(row: Withdrawal) -> datetime:
    """From when on the exchange's list is read for it."""
    return agreed_at(row) - SKEW - timedelta(seconds=1)


def agreed_at(row: Withdrawal) -> datetime:
    """When the intent was written; of what a restored backup had still on hold, when it was asked."""
    if row.intended_at is None or (row.lost_at is not None and row.lost_at < row.intended_at):
        return row.held_at
    return row.intended_at


def _listed(credential: Usable, start: datetime, nonce: int | None) -> Iterator[Listed]:
    """All of it, page after page: one that is missing could be the one that is sought. Raises: NotHeard."""
    cursor: str = "true"
    for page in count():
        if page == MOST_PAGES:
            raise NotHeard(TOO_MUCH)
        fields = {"start": int(start.timestamp()), "limit": PAGE, "cursor": cursor}
        try:
            answer = calling.ask_in_lane(credential, "WithdrawStatus", fields, nonce=nonce if page == 0 else None)
            if answer.errors:
                raise NotHeard(", ".join(answer.errors))
            rows, following = rows_of(answer.decoded())
            if len(rows) > MOST_ROWS:
                raise NotHeard(TOO_MUCH)
        except (NotSent, AnswerLost) as error:
            raise NotHeard(error.message) from error
        yield from (each for each in map(listed, rows) if each is not None)
        if not following or not rows:
            return
        cursor = following


def rows_of(result: Any) -> tuple[list[dict[str, Any]], str]:  # noqa: ANN401  (whatever the exchange says)
    """The rows of a page of `WithdrawStatus` and where the next begins, empty at the end; also of a plain list.

    Raises: AnswerLost for another shape.
    """
    rows: Any = result
    following: Any = ""
    if isinstance(result, dict):
        rows = result.get("withdrawals", result.get("withdrawal"))
        following = result.get("next_cursor") or ""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or not isinstance(following, str):
        raise AnswerLost("The exchange answered a list of another shape.")
    return rows, following


def _note(
    row: Withdrawal,
    at: datetime,
    nonce: int | None,
    *,
    listed: Sequence[Listed] = (),
    found: Sequence[Listed] = (),
    trouble: str = "",
) -> None:
    Look.objects.create(
        withdrawal=row,
        at=at,
        nonce=nonce,
        listed=[{name[:LONGEST]: str(value)[:LONGEST] for name, value in each.row.items()} for each in listed[:SHOWN]],
        found=[each.refid[:LONGEST] for each in found[:SHOWN]],
        trouble=trouble[:TROUBLE_LENGTH],
    )
