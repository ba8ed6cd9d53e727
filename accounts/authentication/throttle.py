"""How often signing in may be tried (security SI-5, F-11): counted before it is tried, forgiven when it was right.

Passwords are counted by address and source, then by source, then by address alone. The last is soft: it makes a
stranger wait, who has never been in from there, and the member only after a hundred failures in a row. Even then a
link by mail or a passkey lets them in. Addresses are counted as typed, so that nobody learns which of them exist.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts import known_networks
from accounts.models import Attempts, User
from portal.core.clocks import is_ahead
from portal.core.database.prepared import LAZILY, fetch, instant
from portal.core.secrets.sealing import digest

WINDOW: Final = timedelta(minutes=15)
FREE_IN_A_ROW: Final = 10
FREE_CODES_IN_A_ROW: Final = 5
PASSWORD_DELAY: Final = timedelta(seconds=1)
CODE_DELAY: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(minutes=5)
# Nobody's password or code is guessed at for longer than this, however patiently (NIST SP 800-63B §5.2.2).
HARD_STOP: Final = 100
FORGOTTEN_AFTER: Final = timedelta(days=1)
KEPT: Final = 20

# These stand on the way of everybody who signs in, beside a digest that is dear enough: prepared, and without the ORM.
TRIES: Final = "SELECT key, tries, since FROM accounts_attempts WHERE key IN (%(pair)s, %(source)s)"
COUNTED: Final = "SELECT id, key, tries, in_a_row, since, last_at FROM accounts_attempts"
FIRST_TRY: Final = "UPDATE accounts_attempts SET tries = 1, in_a_row = in_a_row + 1, since = %(now)s, last_at = %(now)s"
ONE_MORE_TRY: Final = "UPDATE accounts_attempts SET tries = tries + 1, in_a_row = in_a_row + 1, last_at = %(now)s"
TAKE_BACK: Final = """
UPDATE accounts_attempts SET
    tries = CASE WHEN key = %(pair)s OR tries = 0 THEN 0 ELSE tries - 1 END,
    in_a_row = CASE WHEN key = %(pair)s OR in_a_row = 0 THEN 0 ELSE in_a_row - 1 END
"""
# Locked in the order in which the rows are locked elsewhere; SQLite has no locks of rows.
TAKE_BACK_HELD: Final = f"""
WITH held AS (
    SELECT id FROM accounts_attempts WHERE key IN (%(pair)s, %(source)s, %(account)s) ORDER BY key FOR UPDATE
)
{TAKE_BACK}WHERE id IN (SELECT id FROM held)
"""  # noqa: S608


def is_stopped(email: str, source: str) -> bool:
    """Whether the source has used up its tries, or those for this address: read without a lock, and not counted.

    Who hammers at the door must not cost anybody a lock, or a digest.
    """
    now = timezone.now()
    pair, at = _pair(email, source), _source(source)
    limits = {pair: settings.PASSWORD_FAILURES, at: settings.PASSWORD_FAILURES_OF_SOURCE}
    return any(
        tries >= limits[key] and not _is_over(instant(since), WINDOW, now)
        for key, tries, since in fetch(TRIES, {"pair": pair, "source": at})
    )


def may_try_password(email: str, source: str) -> bool:
    """Count one try, and say whether it may be made. What a later limit refuses counts towards the earlier ones."""
    pair, at, account = keys = _pair(email, source), _source(source), _account(email)
    while True:
        with transaction.atomic():
            rows = _locked(keys)
            if len(rows) == len(keys):
                return _counted(rows[pair], rows[at], rows[account], email, source)
        # Made while nothing is locked: whoever waits for a row of another's making must hold none themselves.
        _make(keys)


def password_was_right(email: str, source: str) -> None:
    """Take back what this one try counted; failures before it are forgiven once the second factor is right too.

    The disk is not waited for: a crash of the database may still count the last tries that were right.
    """
    if connection.vendor == "postgresql":
        # Inside of a transaction it would hold for all that is done there.
        statement = TAKE_BACK_HELD if connection.in_atomic_block else f"{TAKE_BACK_HELD}AND {LAZILY}"
    else:
        statement = f"{TAKE_BACK}WHERE key IN (%(pair)s, %(source)s, %(account)s)"
    fetch(statement, {"pair": _pair(email, source), "source": _source(source), "account": _account(email)})


def signed_in(user: User, *, by_recovery_code: bool = False) -> int:
    """Forgive all failures of a person who has just come in, and say how many in a row that were.

    A recovery code does not forgive wrong codes: whoever guesses must not start anew with it.
    """
    rows = Attempts.objects.filter(key__in=[_account(user.email), _codes(user)])
    failures = sum(rows.values_list("in_a_row", flat=True))
    (rows.exclude(key=_codes(user)) if by_recovery_code else rows).delete()
    return failures


def forget_password_failures(email: str) -> None:
    """A new password starts with a clean slate, wherever it is typed."""
    Attempts.objects.filter(key=_account(email)).delete()


def wait_for_code(user: User) -> timedelta | None:
    """Count one try of a code, of whichever second factor; None if it may be made, or how long to wait first.

    It only ever makes people wait. What stops for good is one authenticator (`accounts.factors.totp`), never a person.

    Runs in the caller's transaction, which must commit also when the code is wrong.
    """
    with transaction.atomic():
        row = _one_locked(_codes(user))
        left = _wait(row, FREE_CODES_IN_A_ROW, first=CODE_DELAY)
        if left is None:
            _count([row], timezone.now())
    return left


def code_was_right(user: User) -> None:
    """Forgive wrong codes, once one of a strong factor was right, or what they were of is taken away or made anew."""
    Attempts.objects.filter(key=_codes(user)).delete()


def may_ask_for_link(email: str, source: str) -> bool:
    """Whether one more link may be mailed: three an hour to an address, twenty in a quarter of an hour for a source."""
    with transaction.atomic():
        return _take(f"links-from:{known_networks.network_of(source)}", 20) and _take(
            f"links-to:{_short(_plain(email))}", 3, window=timedelta(hours=1)
        )


def may_send_invitation(number: int) -> bool:
    """Whether the link of an invitation may be mailed once more: three an hour, whoever asks."""
    with transaction.atomic():
        return _take(f"invitation:{number}", 3, window=timedelta(hours=1))


def may_try_exchange(member_id: int) -> bool:
    """Whether a member may have keys tried at an exchange once more: ten times in a quarter of an hour.

    An exchange locks out whoever sends wrong ones too often, and with them everybody who calls from here.
    """
    with transaction.atomic():
        return _take(f"exchange:{member_id}", 10)


def _take(key: str, limit: int, *, window: timedelta = WINDOW) -> bool:
    row, now = _one_locked(key), timezone.now()
    if not _has_room(row, limit, window, now):
        return False
    _count([row], now)
    return True


def _counted(pair: Attempts, at: Attempts, account: Attempts, email: str, source: str) -> bool:
    """Count towards each of the three limits in turn until one refuses; whether none did."""
    now = timezone.now()
    counted: list[Attempts] = []
    if _has_room(pair, settings.PASSWORD_FAILURES, WINDOW, now):
        counted.append(pair)
        if _has_room(at, settings.PASSWORD_FAILURES_OF_SOURCE, WINDOW, now):
            counted.append(at)
            if _may_try_softly(account, email, source):
                counted.append(account)
    _count(counted, now)
    return account in counted


def _has_room(row: Attempts, limit: int, window: timedelta, now: datetime) -> bool:
    """Whether one more may be counted. A window that is over, or began under a clock that ran ahead, begins anew."""
    if _is_over(row.since, window, now):
        row.tries = 0
    return row.tries < limit


def _is_over(since: datetime, window: timedelta, now: datetime) -> bool:
    return now - since >= window or is_ahead(since, now)


def _may_try_softly(row: Attempts, email: str, source: str) -> bool:
    if row.in_a_row >= HARD_STOP:
        return False
    return (
        _wait(row, FREE_IN_A_ROW, first=PASSWORD_DELAY) is None
        # Asked for by what was typed, and so often: it tells nothing of who there is.
        or known_networks.is_known(_plain(email), source)
    )


def _wait(row: Attempts, free: int, *, first: timedelta) -> timedelta | None:
    """What is left of the delay that doubles with every failure after the first `free`."""
    if row.in_a_row < free:
        return None
    # Noted under a clock that ran ahead: nobody waits until the right time has caught up. The next try is noted anew.
    if is_ahead(row.last_at, timezone.now()):
        return None
    delay = min(first * 2 ** min(row.in_a_row - free, 20), LONGEST_WAIT)
    left = row.last_at + delay - timezone.now()
    return left if left > timedelta() else None


def _count(rows: Sequence[Attempts], now: datetime) -> None:
    """One try more for each of these, which are locked; the first one of a window is its beginning."""
    at = connection.ops.adapt_datetimefield_value(now)
    first = [row.pk for row in rows if row.tries == 0]
    later = [row.pk for row in rows if row.tries > 0]
    if first:
        fetch(f"{FIRST_TRY} WHERE id IN {_places(len(first))}", {**_named(first), "now": at})
    if later:
        fetch(f"{ONE_MORE_TRY} WHERE id IN {_places(len(later))}", {**_named(later), "now": at})


def _one_locked(key: str) -> Attempts:
    """Its row, locked; made if there is none."""
    row = _locked([key]).get(key)
    if row is None:
        _make([key])
        row = _locked([key])[key]
    return row


def _locked(keys: Sequence[str]) -> dict[str, Attempts]:
    """The rows of these keys as far as there are any, locked in the order of their keys."""
    locking = " FOR UPDATE" if connection.vendor == "postgresql" else ""
    found = fetch(f"{COUNTED} WHERE key IN {_places(len(keys))} ORDER BY key{locking}", _named(keys))
    return {
        key: Attempts(pk=pk, key=key, tries=tries, in_a_row=in_a_row, since=instant(since), last_at=instant(last_at))
        for pk, key, tries, in_a_row, since, last_at in found
    }


def _places(number: int) -> str:
    """Places in a statement for so many values, which `_named` gives."""
    return f"({', '.join(f'%(value{place})s' for place in range(number))})"


def _named(values: Sequence[object]) -> dict[str, object]:
    return {f"value{place}": value for place, value in enumerate(values)}


def _make(keys: Sequence[str]) -> None:
    """Rows for these keys, where there are none."""
    now = timezone.now()
    _forget_old(now)
    rows = [Attempts(key=key, since=now, last_at=now) for key in sorted(keys)]
    Attempts.objects.bulk_create(rows, ignore_conflicts=True)


def _forget_old(now: datetime) -> None:
    """Rows of strangers' addresses must not pile up. What counts failures in a row is kept while it is near a stop."""
    Attempts.objects.filter(last_at__lt=now - FORGOTTEN_AFTER, in_a_row__lt=KEPT).delete()


def _pair(email: str, source: str) -> str:
    return f"pair:{_short(f'{_plain(email)} {known_networks.network_of(source)}')}"


def _source(source: str) -> str:
    return f"source:{known_networks.network_of(source)}"


def _account(email: str) -> str:
    return f"account:{_short(_plain(email))}"


def _codes(user: User) -> str:
    return f"codes:{user.pk}"


def _plain(email: str) -> str:
    return email.strip().lower()


def _short(text: str) -> str:
    return digest(text)[:40]
