"""The rounds of the watcher: of each connected Account one look at what is most overdue."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.utils import timezone

from portal.core.clocks import is_ahead
from portal.core.errors import Unavailable
from portal.venues.kraken.addresses import listing
from portal.venues.kraken.models import Connection, Credential
from portal.venues.kraken.reading.shapes import OtherShape
from portal.venues.kraken.watch_models import MISHAP_LENGTH, Watch
from portal.venues.kraken.watching import calls, credentials, ledger, withdrawals
from portal.venues.kraken.watching.calls import NoShare

logger = logging.getLogger(__name__)
# How long after a look the next one at the same is due.
EVERY: Final = {
    withdrawals.PART: timedelta(seconds=60),
    ledger.PART: timedelta(seconds=300),
    listing.PART: timedelta(seconds=300),
}
CREDENTIAL: Final = "credential"
EVERY_CREDENTIAL: Final = timedelta(hours=1)
# Other periodic tasks wait for a round: it begins no further look after this.
ROUND_SECONDS: Final = 20.0
OTHER_SHAPE: Final = "The exchange answered in a shape that this portal does not know."


@dataclass(frozen=True, slots=True)
class Due:
    """A look, and by how many of its intervals it is overdue."""

    watch: Watch
    overdue: float
    look: Callable[[], None]


def go_round() -> int:
    """One call for each Account that has something due, the most overdue first; how many were made.

    What cannot be asked is noted and is due again after its interval, where it was.
    """
    ends = time.monotonic() + ROUND_SECONDS
    now = timezone.now()
    connections = Connection.objects.filter(disconnected_at=None).select_related("account")
    due = [most for connection in connections if (most := _most_overdue(connection, now)) is not None]
    made = 0
    for one in sorted(due, key=lambda one: -one.overdue):
        if time.monotonic() > ends:
            break
        made += _look(one)
    return made


def _most_overdue(connection: Connection, now: datetime) -> Due | None:
    looks = list(_looks(connection, now))
    most = max(looks, key=lambda one: one.overdue, default=None)
    return most if most is not None and most.overdue >= 1 else None


def _looks(connection: Connection, now: datetime) -> Iterator[Due]:
    watches = _watches(connection)
    for part, interval in EVERY.items():
        watch = watches[part]
        yield Due(watch, _overdue(watch, interval, now), partial(LOOKS[part], connection, watch))
    for credential in _credentials(connection):
        watch = watches[part_of(credential)]
        yield Due(watch, _overdue(watch, EVERY_CREDENTIAL, now), partial(credentials.look, credential))


def _overdue(watch: Watch, interval: timedelta, now: datetime) -> float:
    """In intervals; what was never looked at comes first, and a walk that is under way goes on."""
    if watch.looked_at is None:
        return float("inf")
    # What was written under a clock that ran ahead is no reason to wait.
    late = 1.0 if is_ahead(watch.looked_at, now) else (now - watch.looked_at) / interval
    return max(late, 1.0) if watch.page and not watch.trouble else late


def _watches(connection: Connection) -> dict[str, Watch]:
    parts = [*EVERY, *(part_of(credential) for credential in _credentials(connection))]
    rows = Watch.objects.filter(account=connection.account_id)
    found = {row.part: row for row in rows}
    if missing := [part for part in parts if part not in found]:
        fresh = [Watch(account_id=connection.account_id, part=part) for part in missing]
        Watch.objects.bulk_create(fresh, ignore_conflicts=True)
        found = {row.part: row for row in rows.all()}
    return found


def _credentials(connection: Connection) -> list[Credential]:
    rows = Credential.objects.filter(account=connection.account_id, activated_at__isnull=False, removed_at=None)
    return list(rows.filter(stopped_at=None).select_related("account").order_by("pk"))


def part_of(credential: Credential) -> str:
    """The name of a look at that credential."""
    return f"{CREDENTIAL} {credential.pk}"


def _look(due: Due) -> int:
    trouble = ""
    try:
        due.look()
    except NoShare:
        # Nothing was asked: it is as due as it was.
        return 0
    except Unavailable as error:
        trouble = error.message
    except OtherShape:
        trouble = OTHER_SHAPE
    except Exception:
        # One Account that cannot be looked at keeps nobody from looking at the others.
        logger.exception("Could not look at %s of Account %s", due.watch.part, due.watch.account_id)
        trouble = OTHER_SHAPE
    Watch.objects.filter(pk=due.watch.pk).update(looked_at=timezone.now(), trouble=trouble[:MISHAP_LENGTH])
    return 1


def _look_at_addresses(connection: Connection, watch: Watch) -> None:
    """Raises: Unavailable where what was listed before still counts."""
    calls.take_share(connection.account_id, listing.METHOD)
    said = listing.ask(connection.account_id)
    if said.trouble:
        raise Unavailable(said.trouble)


LOOKS: Final[dict[str, Callable[[Connection, Watch], None]]] = {
    withdrawals.PART: withdrawals.look,
    ledger.PART: ledger.look,
    listing.PART: _look_at_addresses,
}
