"""What is known here of the exchange's withdrawals: which are ours, and which one of ours could still be."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import Q

from portal.core.money import from_units
from portal.venues.kraken.models import SeenWithdrawal
from portal.venues.kraken.withdrawal_rows import Step, Withdrawal

# The exchange's clock and ours differ by no more (reference, *Fencing a withdrawal*).
SKEW: Final = timedelta(minutes=2)
# It may have been executed, and nobody here knows under which reference yet.
OPEN: Final = (Step.SENDING, Step.LOST, Step.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Known:
    """Of one Account: references that are accounted for, and our withdrawals that have none yet."""

    refids: frozenset[str]
    looked_for: tuple[Withdrawal, ...]

    def could_be_ours(self, *, amounts: Collection[Decimal], at: datetime, key: str = "", address: str = "") -> bool:
        """Whether one of ours whose answer was lost may be this: where it leads, what left or arrived, and when fit.

        It leads there by its name, without one by the address; the ledger tells neither, and fits any.
        """
        return any(
            (row.key == key if key else address in ("", row.address))
            and from_units(row.amount_units, row.decimals) in amounts
            and at >= (row.intended_at or row.held_at).replace(microsecond=0) - SKEW
            for row in self.looked_for
        )


def known(account_id: int, refids: Iterable[str]) -> Known:
    """What is known of these references, in two statements.

    Read after the exchange was: one that was on its way then has its reference by now, or is still looked for.
    """
    asked = list(refids)
    seen = SeenWithdrawal.objects.filter(account=account_id, refid__in=asked).values_list("refid", flat=True)
    ours = list(Withdrawal.objects.filter(account=account_id).filter(Q(refid__in=asked) | Q(step__in=OPEN)))
    refs = {row.refid for row in ours if row.refid is not None}
    return Known(frozenset({*seen, *refs}), tuple(row for row in ours if row.step in OPEN))


def keep(account_id: int, refids: Iterable[str]) -> None:
    """Never judge these again."""
    SeenWithdrawal.objects.bulk_create(
        [SeenWithdrawal(account_id=account_id, refid=refid) for refid in refids], ignore_conflicts=True
    )
