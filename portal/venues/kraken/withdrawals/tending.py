"""The round of what is to be done about withdrawals: send, look, and tell the requests how it went."""

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import Final

from django.db import connection
from django.utils import timezone

from policies import changes
from policies.models import ChangeRequest, State
from portal.core.errors import Busy, DomainError
from portal.jobs.isolated_loop import each
from portal.venues.kraken import calling
from portal.venues.kraken.credentials.finding import Usable, for_withdrawals
from portal.venues.kraken.models import Step, Withdrawal
from portal.venues.kraken.upstream.outcomes import NotSent
from portal.venues.kraken.withdrawals import fence, finding, outcomes, sending, statuses

logger = logging.getLogger(__name__)

# Somebody else has the lane: they are at it, or it is soon free.
LANE_SECONDS: Final = 2.0
TENDING: Final = "tend the withdrawals of an Account"
# As many at the same time.
ACCOUNTS: Final = 4
# Of one Account in one round, so that no other waits for long.
AT_A_TIME: Final = 10
NO_CREDENTIAL: Final = timedelta(seconds=10)


def tend() -> bool:
    """Do all that is due now; whether there was anything. Of any number of processes one at a time is at an Account."""
    due = sorted(finding.due(timezone.now()), key=lambda found: (found[1], found[0]))
    accounts = [(account_id, [pk for pk, _ in rows]) for account_id, rows in groupby(due, key=lambda found: found[1])]
    if len(accounts) > 1:
        # An exchange that hangs holds up its own Account alone.
        with ThreadPoolExecutor(min(len(accounts), ACCOUNTS), "withdrawals") as pool:
            list(pool.map(_tend_apart, accounts))
    else:
        each(accounts, _tend_one, what=TENDING)
    return bool(accounts)


def tend_account(account_id: int) -> None:
    """The same for one Account."""
    _tend(account_id, [pk for pk, of in finding.due(timezone.now()) if of == account_id])


def settle(row: Withdrawal) -> None:
    """Let the request know how it went. What fails here is asked again by those who ask what is not known."""
    with suppress(DomainError):
        changes.execute(row.request)


def _tend_one(account: tuple[int, list[int]]) -> int:
    return _tend(*account)


def _tend_apart(account: tuple[int, list[int]]) -> int:
    """The same on a connection of its own."""
    try:
        return each([account], _tend_one, what=TENDING)
    finally:
        connection.close()


def _tend(account_id: int, pks: Sequence[int]) -> int:
    statuses.refresh(account_id, pks)
    try:
        credential = for_withdrawals(account_id)
    except NotSent as error:
        _wait(pks, error.message)
        return 0
    with suppress(NotSent):
        with calling.in_its_lane(credential, LANE_SECONDS):
            _look(account_id, credential)
        for pk in _agreed(pks):
            # One at a time has the lane: who asks what a withdrawal would cost comes in between.
            with calling.in_its_lane(credential, LANE_SECONDS):
                sending.send(pk, credential)
            _settle([pk])
    _settle(pks)
    return len(pks)


def _agreed(pks: Sequence[int]) -> list[int]:
    rows = Withdrawal.objects.filter(pk__in=pks, step=Step.INTENDED)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:AT_A_TIME])


def _look(account_id: int, credential: Usable) -> None:
    """Give up what somebody died over, and search for all that is due."""
    if credential.id is not None:
        sending.give_up_abandoned(account_id, credential.id)
    _give_up_of_others(account_id, credential)
    now = timezone.now()
    lost = Withdrawal.objects.filter(account=account_id, step__in=(Step.LOST, Step.UNKNOWN), look_at__lte=now)
    fence.look(list(lost.order_by("pk")), credential)


def _give_up_of_others(account_id: int, credential: Usable) -> None:
    """What was being sent with a credential that was replaced since: whoever is at it holds that one's lane."""
    being_sent = Withdrawal.objects.filter(account=account_id, step=Step.SENDING).exclude(credential=credential.id)
    for credential_id in list(being_sent.order_by().values_list("credential", flat=True).distinct()):
        with suppress(Busy), calling.lane_of(credential_id, 0.0):
            sending.give_up_abandoned(account_id, credential_id)


def _wait(pks: Iterable[int], why: str) -> None:
    """Nothing can be sent or looked for now; what is lost for ten minutes is said to be unknown all the same."""
    for pk in pks:
        row = Withdrawal.objects.get(pk=pk)
        if row.step == Step.INTENDED:
            outcomes.postponed(pk, why, again=NO_CREDENTIAL)
        elif row.step == Step.SENDING and row.credential_id is not None:
            with suppress(Busy), calling.lane_of(row.credential_id, 0.0):
                sending.give_up_abandoned(row.account_id, row.credential_id)
        elif row.step in (Step.LOST, Step.UNKNOWN):
            fence.unheard(row, why)


def _settle(pks: Sequence[int]) -> None:
    """Tell the requests of those that have come to something."""
    ended = Withdrawal.objects.filter(pk__in=pks, step__in=(Step.ACCEPTED, Step.REFUSED)).exclude(request="")
    waiting = ChangeRequest.objects.filter(state=State.APPROVED, reference__in=ended.values("request"))
    rows = ended.filter(request__in=list(waiting.values_list("reference", flat=True)))
    each(rows, partial(_told), what="tell a request how its withdrawal went")


def _told(row: Withdrawal) -> int:
    settle(row)
    return 1
