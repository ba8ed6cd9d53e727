"""Asking for withdrawals and taking them back: the page and the bots' API call the same functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.models import Account
from policies import changes
from policies.models import ChangeRequest, State
from portal.core import actors
from portal.core.display import markup
from portal.core.errors import Conflict, Invalid
from portal.core.money import to_units
from portal.treasury import expired_holds, idempotency, mirrors
from portal.treasury.errors import AddressDrifted, AddressMismatch, FeeTooHigh, UnknownAddress
from portal.treasury.idempotency import SentForm
from portal.treasury.models import Address, Withdrawal
from portal.treasury.operations import Withdraw, withdraw
from portal.venues.errors import BelowMinimum, UnknownReference
from portal.venues.registry import venue
from portal.venues.types import WithdrawalMethod

if TYPE_CHECKING:
    from accounts.models import ApiKey, Member, ServiceUser


@dataclass(frozen=True, slots=True)
class Quote:
    """What a withdrawal would cost and bring, in the asset's smallest unit.

    `amount_units` is what arrives, `limit_units` the most that could arrive now.
    """

    method: str
    limit_units: int
    amount_units: int
    fee_units: int


def request_withdrawal(  # noqa: PLR0913  (what the protocol's Withdraw takes, name by name)
    *,
    actor: "Member | ServiceUser",
    account: Account,
    key: str,
    asset: str,
    amount: Decimal,
    address: str | None = None,
    max_fee: Decimal | None = None,
    ceiling: Decimal | None = None,
    api_key: "ApiKey | None" = None,
    note: str = "",
    form: SentForm | None = None,
) -> ChangeRequest:
    """Ask to send `amount`, fee included, to the address called `key`; it is on hold when this returns, or sent.

    What the network takes now, or a `ceiling` above it that was shown to who asks, is the most that it may take when
    the withdrawal is sent (DESIGN K7); `max_fee` refuses what takes more already. A `form` that was sent before gets
    the first answer. What a member sends at once takes a second factor that was shown for exactly this (security SU-2).

    Raises: UnknownAsset; UnknownAddress, AddressMismatch, FeeTooHigh; Invalid for an amount that cannot be;
    BelowMinimum, InsufficientFunds; Conflict if `form` showed something else; and what `policies.changes.propose`
    raises. Nothing is held then.
    """
    expired_holds.release_due(account.pk)
    found, method = _destination(account, key, asset)
    if address is not None and address != found.address:
        raise AddressMismatch(f"That is not the address called {found.key}.", field="address")
    allowed = [most for most in (max_fee, ceiling) if most is not None]
    method = _priced(account, found, _units(method, amount), allowed)
    venue(account.venue).refresh_price(account.pk, found.asset, actor.organization.currency)
    params = Withdraw.to(found, amount=amount, fee=method.fee if ceiling is None else ceiling)
    if actor.kind != actors.MEMBER:
        return changes.propose(withdraw, actor=actor, params=params, api_key=api_key, note=note)
    first: ChangeRequest | None = None

    def answered() -> ChangeRequest | None:
        # One member asks one thing at a time: a second click waits here until the first has its answer.
        nonlocal first
        first = None
        if form is not None:
            first = idempotency.answer_to(form.name, member=actor)
        if form is not None and first is None:
            idempotency.refuse_other(form, params)
        return first

    with transaction.atomic():
        change = changes.propose(withdraw, actor=actor, params=params, note=note, answered=answered)
        if first is None and form is not None:
            Withdrawal.objects.filter(change=change).update(asked_as=form.name)
        if first is None and change.state != State.PENDING:
            idempotency.refuse_unproved(form)
    return change


def cancel_withdrawal(*, actor: "Member | ServiceUser", account_id: int, reference: str) -> bool:
    """Take a withdrawal back while it waits, or have it called back while that can be: False if it is too late.

    Asked outside of a transaction.

    Raises: UnknownReference if the Account, or for a bot its own requests, has none of that name; Refused for a member
    who belongs to neither side; Unavailable while the exchange that has it does not answer.
    """
    rows = Withdrawal.objects.filter(reference=reference, account=account_id, organization=actor.organization_id)
    if actor.kind == actors.SERVICE_USER:
        rows = rows.filter(change__service_user=actor.pk)
    found = rows.select_related("change", "account").first()
    if found is None:
        raise UnknownReference("There is no such withdrawal.")
    try:
        changes.cancel(found.change.reference, actor=actor)
    except Conflict:
        # Decided, expired or cancelled meanwhile: the venue knows what came of it, and may still call it back.
        return venue(found.account.venue).cancel_withdrawal(reference)
    return True


def quote(*, account_id: int, key: str, asset: str, amount: Decimal) -> Quote:
    """What sending `amount`, fee included, to the address called `key` would cost and bring.

    Raises: UnknownAsset, UnknownAddress, BelowMinimum; Invalid for an amount that cannot be.
    """
    expired_holds.release_due(account_id)
    account = Account.objects.get(pk=account_id)
    found, method = _destination(account, key, asset)
    units = _units(method, amount)
    said = venue(account.venue).withdrawal_quote(
        account_id, asset=found.asset, destination=mirrors.destination_of(found), amount_units=units, with_limit=True
    )
    fee_units = to_units(said.method.fee, said.method.asset.decimals)
    return Quote(
        method=said.method.name,
        limit_units=said.limit_units,
        amount_units=units - fee_units,
        fee_units=fee_units,
    )


def addresses(
    account_id: int, *, asset: str | None = None, method: str | None = None, key: str | None = None
) -> Sequence[Address]:
    """The Account's addresses, by name; `asset` is an id."""
    rows = Address.objects.filter(account=account_id, removed_at=None)
    if asset is not None:
        rows = rows.filter(asset=asset)
    if method is not None:
        rows = rows.filter(method__iexact=method)
    if key is not None:
        rows = rows.filter(key__iexact=key)
    return list(rows.order_by("key", "pk"))


def _destination(account: Account, key: str, asset: str) -> tuple[Address, WithdrawalMethod]:
    exchange = venue(account.venue)
    asset_id = exchange.asset(asset).id
    found = next(iter(addresses(account.pk, asset=asset_id, key=key)), None)
    if found is None:
        raise UnknownAddress("The Account has no address of that name for that asset.", field="key")
    if trouble := mirrors.trouble_with(account, found):
        raise AddressDrifted(f"{trouble} Nothing is sent there until that is put right.", field="key")
    return found, exchange.withdrawal_method(asset_id, found.method)


def _priced(account: Account, address: Address, units: int, allowed: Sequence[Decimal]) -> WithdrawalMethod:
    """The way out with what it takes of this amount now. Raises: FeeTooHigh where that is more than is allowed."""
    # Read before anybody is asked: nobody waits for an exchange in a transaction.
    method = (
        venue(account.venue)
        .withdrawal_quote(
            account.pk,
            asset=address.asset,
            destination=mirrors.destination_of(address),
            amount_units=units,
            with_limit=False,
        )
        .method
    )
    if any(method.fee > most for most in allowed):
        takes, most = (markup.said(fee, method.asset.code) for fee in (method.fee, min(allowed)))
        raise FeeTooHigh(f"{method.name} takes {takes} now, more than the {most} allowed.", field="max_fee")
    return method


def _units(method: WithdrawalMethod, amount: Decimal) -> int:
    units = method.units_of(amount)
    if units <= 0:
        raise Invalid("The amount must be above zero.", field="amount")
    if amount < method.minimum:
        least = markup.said(method.minimum, method.asset.code)
        raise BelowMinimum(f"{method.name} takes {least} or more, fee included.", field="amount")
    return units
