"""Withdrawing: held when it is asked, sent when enough people agree, given back otherwise (DESIGN K7, R8)."""

from functools import partial
from typing import TYPE_CHECKING, cast

from django.utils import timezone

from policies.registry import Beside, Headline, Underway, WentWrong, operation
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor, portal
from portal.core.errors import Conflict, Unavailable
from portal.core.money import from_units, plain, to_units
from portal.treasury import mirrors, warnings
from portal.treasury.destinations.identity import identity
from portal.treasury.errors import AddressDrifted, AddressMismatch, UnknownAddress
from portal.treasury.measures.caps import refuse_over_cap, renew, with_caps
from portal.treasury.measures.initiators import initiator_of
from portal.treasury.measures.values import hundredths_of, kept
from portal.treasury.models import Address, Withdrawal
from portal.treasury.operations import freezing, withdrawal_descriptions
from portal.treasury.operations.params import Withdraw
from portal.treasury.references import new_reference
from portal.venues.registry import venue
from portal.venues.types import UNDERWAY, Stage, WithdrawalRow

if TYPE_CHECKING:
    from policies.models import ChangeRequest


def hold(*, actor: Actor, params: Withdraw, change: "ChangeRequest") -> Beside:
    """Take the amount off the balance and keep it for this request.

    Raises: UnknownAddress, AddressMismatch, AddressDrifted, UnknownAsset, UnknownMethod, BelowMinimum,
    InsufficientFunds; Invalid for too many decimals; FeeRose if the network takes more by now; OverCap if it is more
    than the key may send.
    """
    book = Address.objects.filter(account=params.account_id, organization=change.organization_id, removed_at=None)
    book = with_caps(book.select_related("account"), change.service_user)
    address = book.filter(pk=params.address_id).first()
    if address is None:
        raise UnknownAddress("There is no such address in this Account.", field="key")
    renew(change.service_user, address)
    if mirrors.destination_of(address) != params.destination or address.asset != params.asset:
        raise AddressMismatch("The address is not the one of that name.", field="address")
    exchange = venue(address.account.venue)
    if trouble := exchange.destination_trouble(address.account_id, params.destination):
        raise AddressDrifted(f"{trouble} Nothing is sent there until that is put right.", field="key")
    method = exchange.withdrawal_method(params.asset, params.method)
    value = hundredths_of(exchange, address.account_id, method.asset.id, params.amount, change.organization.currency)
    refuse_over_cap(change, account_id=address.account_id, initiator=initiator_of(change), hundredths=value)
    row = exchange.hold_withdrawal(
        address.account_id,
        reference=new_reference(),
        asset=params.asset,
        amount_units=method.units_of(params.amount),
        destination=params.destination,
        max_fee_units=to_units(params.fee, method.asset.decimals),
        asked_as=change.reference,
    )
    change.asset = row.asset.code
    return partial(_keep, row, address, actor, change, value)


def _keep(row: WithdrawalRow, address: Address, actor: Actor, change: "ChangeRequest", hundredths: int | None) -> None:
    """Note beside the request what is held for it."""
    withdrawal = Withdrawal.objects.create(
        organization_id=change.organization_id,
        account=address.account,
        change=change,
        reference=row.reference,
        address=address,
        asset=row.asset.id,
        amount_units=row.amount_units + row.fee_units,
        fee_units=row.fee_units,
        created_at=timezone.now(),
        value_hundredths=kept(hundredths),
        destination=identity(address.network, address.address, address.memo),
        initiator=initiator_of(change),
    )
    _record(EventKind.WITHDRAWAL_HELD, actor, withdrawal, row, change)


def release(*, change: "ChangeRequest") -> None:
    """Give back what `hold` took, as the withdrawal's own row has it."""
    withdrawal = Withdrawal.objects.select_related("account").get(change=change)
    row = venue(withdrawal.account.venue).release_withdrawal(withdrawal.reference)
    if withdrawal.released_at is None:
        withdrawal.released_at = timezone.now()
        withdrawal.save(update_fields=["released_at"])
    _record(EventKind.WITHDRAWAL_RELEASED, portal(change.organization_id), withdrawal, row, change)


def is_sent(*, change: "ChangeRequest") -> bool:
    """Whether the venue has sent what is held, whatever became of its answer; if so, with what fee is noted.

    Raises: Unavailable while it cannot say; WentWrong if its exchange did not take it.
    """
    withdrawal = Withdrawal.objects.select_related("account").get(change=change)
    row = venue(withdrawal.account.venue).withdrawal(withdrawal.reference)
    if row.stage in (Stage.HELD, Stage.AGREED, Stage.CANCELED):
        return False
    if row.stage in UNDERWAY:
        raise Unavailable("It is not known yet whether it was sent.")
    if row.stage is Stage.REFUSED:
        raise WentWrong(row.said)
    _note_sent(withdrawal, row, actor=portal(change.organization_id), change=change)
    return True


def barred(change: "ChangeRequest") -> str:
    """Why nobody may agree to it: its address was taken out of the book after it was asked (security, attack 20).

    Or the exchange's own book has drifted from it.
    """
    try:
        sent = withdrawal_descriptions.sent_by(change)
    except Withdrawal.DoesNotExist:
        return ""
    if warnings.is_out_of_the_book(sent.address):
        return f"{sent.address.key} was removed from the address book after this was asked. {warnings.REMOVED}"
    trouble = mirrors.trouble_with(sent.account, sent.address)
    return f"{trouble} {mirrors.BARRED}" if trouble else ""


def _headline(params: Withdraw) -> Headline:
    # By its id until the venue, which says how the asset is called, has it on hold.
    return Headline(f"Withdraw to {params.key}", amount=plain(params.amount), asset=params.asset)


@operation(
    "treasury.withdraw",
    title="Withdraw",
    workflow=Workflow.INITIATE_WITHDRAWAL,
    params=Withdraw,
    account=lambda params: params.account_id,
    headline=_headline,
    describe=withdrawal_descriptions.withdrawal,
    opened=hold,
    ended=release,
    barred=barred,
    done=is_sent,
    money=True,
    measured=True,
    shifts_power=False,
    permission="withdraw-funds",
    destination=freezing.destination,
)
def withdraw(*, actor: Actor, params: Withdraw, change: "ChangeRequest") -> Withdrawal | Underway:
    """Send what is held, to where the params say, whatever stands under that name by now (security CR-2).

    A venue that leaves it to another exchange has only written that then; `is_sent` says how it went.

    Raises: Conflict if the venue holds something else than was asked, or the address was taken out of the book;
    AddressDrifted if the exchange's own book says something else of it; TooLate if it was given back; FeeRose if the
    network takes more than was asked; OverCap if it is more than the key may send by now.
    """
    withdrawal = _just_held(change) or Withdrawal.objects.select_related("account", "address").get(change=change)
    exchange = venue(withdrawal.account.venue)
    row = exchange.withdrawal(withdrawal.reference)
    held = (row.destination, row.asset.id, row.amount_units + row.fee_units)
    if held != (params.destination, params.asset, to_units(params.amount, row.asset.decimals)):
        raise Conflict("What is held is not what was asked.")
    is_unsent = row.stage in (Stage.HELD, Stage.AGREED)
    if is_unsent and warnings.is_out_of_the_book(withdrawal.address):
        raise Conflict(f"{params.key} was removed from the address book after this was asked. Nothing was sent.")
    if is_unsent and (trouble := exchange.destination_trouble(withdrawal.account_id, params.destination)):
        raise AddressDrifted(f"{trouble} Nothing was sent.")
    if is_unsent:
        _refuse_over_cap_by_now(withdrawal, row, change)
    sent = exchange.send_withdrawal(withdrawal.reference)
    if sent.stage in UNDERWAY:
        return Underway()
    _note_sent(withdrawal, sent, actor=actor, change=change)
    return withdrawal


def _refuse_over_cap_by_now(withdrawal: Withdrawal, row: WithdrawalRow, change: "ChangeRequest") -> None:
    """Caps and prices may have changed since it was asked. Raises: OverCap."""
    value = _worth_now(withdrawal, row, change)
    refuse_over_cap(change, account_id=withdrawal.account_id, initiator=initiator_of(change), hundredths=value)


def _worth_now(withdrawal: Withdrawal, row: WithdrawalRow, change: "ChangeRequest") -> int | None:
    exchange, amount = venue(withdrawal.account.venue), from_units(withdrawal.amount_units, row.asset.decimals)
    return hundredths_of(exchange, withdrawal.account_id, row.asset.id, amount, change.organization.currency)


def _just_held(change: "ChangeRequest") -> Withdrawal | None:
    """What this very transaction has written for a request that nobody else has to agree to."""
    return cast("Withdrawal | None", Withdrawal.change.field.remote_field.get_cached_value(change, default=None))


def _note_sent(withdrawal: Withdrawal, sent: WithdrawalRow, *, actor: Actor, change: "ChangeRequest") -> None:
    """What the network took, and what left, is in our books and in the history, whenever the venue answered."""
    value = kept(_worth_now(withdrawal, sent, change))
    withdrawal.fee_units = sent.fee_units
    withdrawal.sent_at = timezone.now()
    # Without a price now, the last one that was known stands.
    withdrawal.value_hundredths = withdrawal.value_hundredths if value is None else value
    withdrawal.save(update_fields=["fee_units", "sent_at", "value_hundredths"])
    _record(EventKind.WITHDRAWAL_SENT, actor, withdrawal, sent, change)


def _record(kind: EventKind, actor: Actor, withdrawal: Withdrawal, row: WithdrawalRow, change: "ChangeRequest") -> None:
    record(
        kind,
        actor=actor,
        subject=withdrawal,
        organization_id=change.organization_id,
        workflow=Workflow.INITIATE_WITHDRAWAL,
        account_id=withdrawal.account_id,
        asset=withdrawal.asset,
        amount=plain(from_units(withdrawal.amount_units, row.asset.decimals)),
        fee=plain(from_units(withdrawal.fee_units, row.asset.decimals)),
        key=row.destination.key,
        address=row.destination.address,
        change=change.reference,
    )
