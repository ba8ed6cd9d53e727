"""A withdrawal of ours as the rest of the portal sees it: its stage, and the exchange's own words beside it."""

from collections.abc import Callable
from typing import Final

from django.urls import reverse

from portal.core.errors import DomainError
from portal.venues.kraken.models import Step, Withdrawal
from portal.venues.types import Asset, Destination, Stage, WithdrawalRow

AssetOf = Callable[[str], Asset]
STAGES: Final[dict[str, Stage]] = {
    Step.HELD: Stage.HELD,
    Step.INTENDED: Stage.AGREED,
    Step.SENDING: Stage.SENDING,
    Step.LOST: Stage.SOUGHT,
    Step.UNKNOWN: Stage.UNKNOWN,
    Step.REFUSED: Stage.REFUSED,
    Step.RELEASED: Stage.CANCELED,
}
# What the exchange says of what it took: `status-prop` first, since that says more.
PROPS: Final = {
    "onhold": Stage.ON_HOLD,
    "return": Stage.RETURNING,
    "cancel-pending": Stage.CANCELING,
    "canceled": Stage.RECALLED,
}
STATUSES: Final = {
    "Initial": Stage.INITIAL,
    "Pending": Stage.PENDING,
    "Settled": Stage.SETTLED,
    "Success": Stage.SUCCESS,
    "Failure": Stage.FAILURE,
}
# What the exchange says nothing new of.
FINAL: Final = ("Success", "Failure")


def stage_of(row: Withdrawal) -> Stage:
    """How far it has got. A status that nobody knows is taken for one on its way."""
    if row.step == Step.INTENDED and row.lost_at is not None:
        # It may have been sent: nobody takes it for what has not left before it was looked for.
        return Stage.SOUGHT
    if row.step != Step.ACCEPTED:
        return STAGES[row.step]
    return told_stage(row.status, row.status_prop)


def told_stage(status: str, prop: str) -> Stage:
    """What the exchange's two words mean; both empty before it said any."""
    if status in FINAL and prop not in ("canceled", "return"):
        return STATUSES[status]
    return PROPS.get(prop) or STATUSES.get(status or "Initial", Stage.PENDING)


def row_of(row: Withdrawal, asset_of: AssetOf) -> WithdrawalRow:
    """The row of a withdrawal of ours, without asking anybody."""
    stage = stage_of(row)
    return WithdrawalRow(
        reference=row.reference,
        destination=Destination(
            key=row.key, address=row.address, method=row.method, network=row.network, memo=row.memo
        ),
        asset=asset(row.asset, row.decimals, asset_of),
        amount_units=row.amount_units - row.fee_units,
        fee_units=row.fee_units,
        at=row.held_at,
        stage=stage,
        txid=row.txid or None,
        cancel_denied=row.cancel_denied,
        said=said(row),
        page=reverse("kraken:unknown_withdrawal", args=[row.reference]) if stage is Stage.UNKNOWN else "",
    )


def said(row: Withdrawal) -> str:
    """What a person should know besides: what the exchange calls it and says of it, or why it did not get there."""
    if row.step != Step.ACCEPTED:
        return row.trouble
    words = " ".join(word for word in (row.status, row.status_prop) if word)
    return f"{row.refid}: {words}" if words else f"{row.refid}"


def asset(name: str, decimals: int, asset_of: AssetOf) -> Asset:
    """The asset with as many decimals as the amounts were kept with, also where the exchange does not name it now."""
    try:
        found = asset_of(name)
    except DomainError:
        return Asset(name, name, name, decimals, decimals)
    return found if found.decimals == decimals else Asset(found.id, found.altname, found.code, decimals, decimals)
