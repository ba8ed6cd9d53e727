"""Holding, sending and releasing withdrawals, and telling how far they have got."""

from collections.abc import Sequence
from typing import Final

from django.db import connection, transaction
from django.db.models import BigIntegerField, ExpressionWrapper, F, QuerySet
from django.utils import timezone

from portal.core.database.prepared import fetch
from portal.core.database.transactions import joined
from portal.core.errors import Conflict, DomainError, Invalid
from portal.core.money import from_units, plain, to_units
from portal.venues.errors import BelowMinimum, FeeRose, InsufficientFunds, TooLate, UnknownReference
from portal.venues.journal.writing import together
from portal.venues.paper import catalogue, clock, networks, query_bounds
from portal.venues.paper.ledger import balances
from portal.venues.paper.ledger.models import Balance, Book, EntryKind
from portal.venues.paper.ledger.posting import Leg, post
from portal.venues.paper.models import Withdrawal
from portal.venues.types import (
    Destination,
    Stage,
    WithdrawalMethod,
    WithdrawalPage,
    WithdrawalQuery,
    WithdrawalQuote,
    WithdrawalRow,
)

MAX_ROWS = 500
WRITE: Final = """
    INSERT INTO paper_withdrawal (account_id, reference, asset, amount_units, fee_units, key, address, method, network,
        memo, held_at, cancel_denied)
    VALUES (%(account_id)s, %(reference)s, %(asset)s, %(amount_units)s, %(fee_units)s, %(key)s, %(address)s, %(method)s,
        %(network)s, %(memo)s, %(held_at)s, FALSE)
    ON CONFLICT (reference) DO NOTHING RETURNING id
"""
WRITTEN: Final = (
    "account_id", "reference", "asset", "amount_units", "fee_units", "key", "address", "method", "network", "memo",
)  # fmt: skip


def hold(
    account_id: int,
    *,
    reference: str,
    asset: str,
    amount_units: int,
    destination: Destination,
    max_fee_units: int | None = None,
) -> WithdrawalRow:
    """See Venue.hold_withdrawal."""
    method = networks.method(asset, destination.method)
    decimals = method.asset.decimals
    fee_units = to_units(method.fee, decimals)
    most_units = fee_units if max_fee_units is None else max_fee_units
    wanted = Withdrawal(
        account_id=account_id,
        reference=reference,
        asset=method.asset.id,
        amount_units=amount_units,
        fee_units=most_units,
        key=destination.key,
        address=destination.address,
        method=method.name,
        network=method.network,
        memo=destination.memo,
        held_at=timezone.now(),
    )
    first = None
    try:
        if amount_units < to_units(method.minimum, decimals):
            minimum = f"{plain(method.minimum)} {method.asset.code}"
            raise BelowMinimum(f"{method.name} takes {minimum} or more, fee included.", field="amount")
        _check_fee(method, most_units)
        with joined():
            _take(wanted)
            if not _written(wanted):
                _take_back(wanted)
                first = _repeat_of(wanted)
    except DomainError:
        # A repeat gets the first answer, whatever has become of the balance, the minimum and the fee since.
        first = _repeat_of(wanted)
        if first is None:
            raise
    return first or _row(wanted)


def send(reference: str) -> WithdrawalRow:
    """See Venue.send_withdrawal."""
    with transaction.atomic(), together():
        withdrawal = _locked(reference)
        if withdrawal.released_at is not None:
            raise TooLate("The withdrawal was released before it could be sent.")
        if withdrawal.sent_at is None:
            # What happened before is booked before.
            clock.locked(withdrawal.account_id)
            method = networks.method(withdrawal.asset, withdrawal.method)
            _check_fee(method, withdrawal.fee_units)
            withdrawal.fee_units = to_units(method.fee, method.asset.decimals)
            _unhold(withdrawal)
            withdrawal.sent_at = timezone.now()
            withdrawal.entry = post(EntryKind.WITHDRAWAL, reference, _legs(withdrawal), at=withdrawal.sent_at)
            withdrawal.save(update_fields=["sent_at", "entry", "fee_units"])
    return _row(withdrawal)


def release(reference: str) -> WithdrawalRow:
    """See Venue.release_withdrawal."""
    with transaction.atomic():
        withdrawal = _locked(reference)
        if withdrawal.sent_at is not None:
            raise TooLate("The withdrawal has been sent.")
        if withdrawal.released_at is None:
            _unhold(withdrawal)
            withdrawal.released_at = timezone.now()
            withdrawal.save(update_fields=["released_at"])
    return _row(withdrawal)


def release_all(references: Sequence[str]) -> int:
    """See Venue.release_withdrawals. A handful of statements, however many they are."""
    with transaction.atomic():
        rows = Withdrawal.objects.select_for_update(no_key=True).filter(
            reference__in=references, sent_at=None, released_at=None
        )
        held = list(rows.order_by("pk").values_list("pk", "account_id", "asset", "amount_units"))
        back: dict[tuple[int, str], int] = {}
        for _, account_id, asset, units in held:
            back[account_id, asset] = back.get((account_id, asset), 0) + units
        for place, balance in balances.lock(back).items():
            balance.held_by_withdrawals_units -= back[place]
            balance.save(update_fields=["held_by_withdrawals_units"])
        Withdrawal.objects.filter(pk__in=[pk for pk, *_ in held]).update(released_at=timezone.now())
    return len(held)


def cancel(reference: str) -> bool:
    """See Venue.cancel_withdrawal."""
    if one(reference).stage is Stage.CANCELED:
        return True
    Withdrawal.objects.filter(reference=reference, sent_at__isnull=False).update(cancel_denied=True)
    return False


def quote(account_id: int, asset: str, destination: Destination, *, with_limit: bool) -> WithdrawalQuote:
    """See Venue.withdrawal_quote."""
    method = networks.method(asset, destination.method)
    limit = 0
    if with_limit:
        fee_units = to_units(method.fee, method.asset.decimals)
        rows = [row for row in clock.balances_now(account_id) if row.asset == method.asset]
        limit = max(0, sum(row.units - row.held_by_orders_units for row in rows) - fee_units)
    return WithdrawalQuote(method, limit)


def one(reference: str) -> WithdrawalRow:
    """See Venue.withdrawal."""
    withdrawal = Withdrawal.objects.filter(reference=reference).first()
    if withdrawal is None:
        raise UnknownReference("There is no such withdrawal.")
    return _row(withdrawal)


def by_reference(references: Sequence[str]) -> dict[str, WithdrawalRow]:
    """The rows of several references; those unknown are left out."""
    return {row.reference: _row(row) for row in Withdrawal.objects.filter(reference__in=references)}


def page(account_id: int, query: WithdrawalQuery) -> WithdrawalPage:
    """One page, newest first.

    Raises: UnknownAsset; Invalid if the cursor is not one that a page of this Account gave.
    """
    rows = Withdrawal.objects.filter(account_id=account_id)
    if query.cursor:
        place = rows.filter(reference=query.cursor).values_list("pk", flat=True).first()
        if place is None:
            raise Invalid("There is no page at that cursor.", field="cursor")
        rows = rows.filter(pk__lt=place)
    limit = max(1, min(query.limit, MAX_ROWS))
    found = list(_matching(rows, query).order_by("-pk")[: limit + 1])
    shown = found[:limit]
    return WithdrawalPage(
        rows=tuple(_row(row) for row in shown), next_cursor=shown[-1].reference if len(found) > limit else None
    )


def _matching(rows: QuerySet[Withdrawal], query: WithdrawalQuery) -> QuerySet[Withdrawal]:
    if query.asset:
        rows = rows.filter(asset=catalogue.asset(query.asset).id)
    if query.method:
        rows = rows.filter(method__iexact=query.method)
    return query_bounds.seen(query_bounds.within(rows, query, "held_at"), query, "held_at")


def _take(wanted: Withdrawal) -> None:
    """Take the amount off what is free, in one statement, or leave all as it is. Raises: InsufficientFunds."""
    own = Balance.objects.filter(account_id=wanted.account_id, asset=wanted.asset)
    # Django takes a difference of columns for 32 bits, whatever they are.
    left = F("units") - F("held_by_orders_units") - F("held_by_withdrawals_units")
    free = ExpressionWrapper(left, output_field=BigIntegerField())
    enough = own.alias(free=free).filter(free__gte=wanted.amount_units)
    if not enough.update(held_by_withdrawals_units=F("held_by_withdrawals_units") + wanted.amount_units):
        balance, asset = own.first(), catalogue.by_id(wanted.asset)
        units = plain(from_units(balance.free_units if balance else 0, asset.decimals))
        raise InsufficientFunds(f"The Account has {units} {asset.code} free.", field="amount")


def _take_back(wanted: Withdrawal) -> None:
    own = Balance.objects.filter(account_id=wanted.account_id, asset=wanted.asset)
    own.update(held_by_withdrawals_units=F("held_by_withdrawals_units") - wanted.amount_units)


def _written(wanted: Withdrawal) -> bool:
    """Write it, unless there is one of its reference already; that is looked at without waiting for who sends it."""
    at = connection.ops.adapt_datetimefield_value(wanted.held_at)
    fields = {name: getattr(wanted, name) for name in WRITTEN}
    return bool(fetch(WRITE, {**fields, "held_at": at}))


def _repeat_of(wanted: Withdrawal) -> WithdrawalRow | None:
    """The first answer to the same reference. Raises: Conflict if that was another withdrawal."""
    first = Withdrawal.objects.filter(reference=wanted.reference).first()
    if first is None:
        return None
    row, again = _row(first), _row(wanted)
    # The fee may be another one by now: what leaves the balance is the same.
    same = (row.destination, row.asset, first.amount_units) == (again.destination, again.asset, wanted.amount_units)
    if first.account_id != wanted.account_id or not same:
        raise Conflict("The reference belongs to another withdrawal.")
    return row


def _check_fee(method: WithdrawalMethod, most_units: int) -> None:
    """Raises: FeeRose."""
    code, decimals = method.asset.code, method.asset.decimals
    if to_units(method.fee, decimals) > most_units:
        raise FeeRose(
            f"The network takes {plain(method.fee)} {code} now, and {plain(from_units(most_units, decimals))} {code} "
            "at most was asked for. Nothing was sent. Ask for a new withdrawal.",
            field="max_fee",
        )


def _locked(reference: str) -> Withdrawal:
    withdrawal = Withdrawal.objects.select_for_update(no_key=True).filter(reference=reference).first()
    if withdrawal is None:
        raise UnknownReference("There is no such withdrawal.")
    return withdrawal


def _unhold(withdrawal: Withdrawal) -> None:
    place = (withdrawal.account_id, withdrawal.asset)
    balance = balances.lock({place})[place]
    balance.held_by_withdrawals_units -= withdrawal.amount_units
    balance.save(update_fields=["held_by_withdrawals_units"])


def _legs(withdrawal: Withdrawal) -> list[Leg]:
    asset, fee_units = withdrawal.asset, withdrawal.fee_units
    legs = [
        Leg(asset, -withdrawal.amount_units, account_id=withdrawal.account_id, fee_units=fee_units),
        Leg(asset, withdrawal.amount_units - fee_units, book=Book.OUTSIDE),
    ]
    return [*legs, Leg(asset, fee_units, book=Book.FEES)] if fee_units else legs


def _row(withdrawal: Withdrawal) -> WithdrawalRow:
    now = timezone.now()
    stage = networks.stage(sent_at=withdrawal.sent_at, released_at=withdrawal.released_at, now=now)
    return WithdrawalRow(
        reference=withdrawal.reference,
        destination=Destination(
            key=withdrawal.key,
            address=withdrawal.address,
            method=withdrawal.method,
            network=withdrawal.network,
            memo=withdrawal.memo,
        ),
        asset=catalogue.by_id(withdrawal.asset),
        amount_units=withdrawal.amount_units - withdrawal.fee_units,
        fee_units=withdrawal.fee_units,
        at=withdrawal.held_at,
        stage=stage,
        txid=networks.txid(withdrawal.network, withdrawal.reference) if stage in networks.ON_CHAIN else None,
        cancel_denied=withdrawal.cancel_denied,
    )
