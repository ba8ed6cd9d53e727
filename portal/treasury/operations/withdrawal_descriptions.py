"""Withdrawals in plain words (DESIGN R7): what was asked is read from the params, never from the book."""

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Account
from policies import registry
from policies.models import State
from policies.payload import decode
from portal.core.database.one_reading import once
from portal.core.display import markup
from portal.core.display.descriptions import Description, Fact, Figure, Notice
from portal.core.display.phrases import dated
from portal.core.errors import Unavailable
from portal.core.money import from_units, plain, wire
from portal.treasury import destination_html, mirrors, warnings
from portal.treasury.models import Withdrawal
from portal.treasury.warnings import AskedAlike, LookAlike, SinceAsked
from portal.venues.registry import venue
from portal.venues.types import UNDERWAY, Asset, LedgerQuery, Part, Stage, WithdrawalRow

if TYPE_CHECKING:
    from policies.models import ChangeRequest
    from portal.treasury.operations.params import Withdraw

# The clock of the venue that books need not be the one that ends a request.
BOOKED_WITHIN: Final = timedelta(seconds=5)
PROGRESS: Final[dict[Stage, tuple[str, markup.Level]]] = {
    Stage.HELD: ("On hold", "wait"),
    Stage.AGREED: ("About to be sent", "wait"),
    Stage.SENDING: ("Being sent", "wait"),
    Stage.SOUGHT: ("Answer lost, looked for", "wait"),
    Stage.UNKNOWN: ("Unknown", "stop"),
    Stage.REFUSED: ("Refused by the exchange", "stop"),
    Stage.INITIAL: ("Initial", "wait"),
    Stage.ON_HOLD: ("On hold by the exchange", "wait"),
    Stage.PENDING: ("Pending at the network", "wait"),
    Stage.SETTLED: ("Settled", "wait"),
    Stage.SUCCESS: ("Success", "done"),
    Stage.FAILURE: ("Failure", "stop"),
    Stage.RETURNING: ("Sent back by the exchange", "stop"),
    Stage.CANCELING: ("Being called back", "wait"),
    Stage.RECALLED: ("Called back", "void"),
    Stage.CANCELED: ("Given back", "void"),
}
# What changes by itself within seconds or minutes; what waits for people, here or there, does not.
MOVING: Final = frozenset(
    {Stage.AGREED, Stage.SENDING, Stage.SOUGHT, Stage.INITIAL, Stage.PENDING, Stage.SETTLED, Stage.CANCELING}
)
# What the network takes is not known yet, and nothing is there.
UNSENT: Final = frozenset({Stage.HELD, Stage.REFUSED, Stage.CANCELED})


def withdrawal(change: "ChangeRequest") -> Description:
    """What would leave, from where, to where, and what that does to the balance."""
    params: Withdraw = decode(registry.get(change.operation).params, change.params)
    account = account_of(change, params.account_id)
    exchange = venue(account.venue)
    asset = exchange.asset(params.asset)
    sent = sent_by(change)
    row = exchange.withdrawal(sent.reference)
    sentence = format_html(
        '{}<b>{}</b> {} to send <b class="nowrap">{}</b> from <b>{}</b> to the address <b class="nowrap">{}</b>.',
        "The bot " if change.service_user_id else "",
        change.initiator_label,
        "asks" if change.is_open else "asked",
        markup.said(params.amount, asset.code),
        account.name,
        params.key,
    )
    facts = (
        Fact("Amount", shown_amount(params.amount, row)),
        Fact("From", account.name),
        Fact("To", destination_html.receiver(params.destination)),
        *_progress(row),
    )
    panel = (
        Fact("Withdraw", markup.amount(plain(params.amount), asset.code)),
        Fact("To", format_html("<b>{}</b><br>{}", params.key, destination_html.ends(params.network, params.address))),
        Fact("From", account.name),
    )
    is_held = row.stage is Stage.HELD or row.stage in UNDERWAY
    title, figures = _figures(account, asset, sent) if is_held else _booked(change, account, asset, sent)
    return Description(
        sentence=sentence,
        facts=facts,
        panel=panel,
        figures_title=title,
        figures_now="Now" if change.is_open else "Before",
        figures=figures,
        notices=_beware(change, params, sent) if change.is_open else (),
    )


def sent_by(change: "ChangeRequest") -> Withdrawal:
    """The withdrawal of a request, with its row of the book; a page reads it once.

    Raises: Withdrawal.DoesNotExist if there is none.
    """
    rows = Withdrawal.objects.select_related("account", "address")
    return once(("withdrawal of", change.pk), lambda: rows.get(change=change))


def account_of(change: "ChangeRequest", account_id: int) -> Account:
    """The Account that a request names: the one it came with, unless it names another one."""
    if change.account is not None and change.account_id == account_id:
        return change.account
    return Account.objects.get(pk=account_id)


def progress(stage: Stage) -> SafeString:
    """How far the venue says it has got."""
    return markup.badge(*PROGRESS[stage])


def live_progress(row: WithdrawalRow) -> SafeString:
    """The same, and it asks again by itself until nothing will move any more."""
    if row.stage not in MOVING:
        return progress(row.stage)
    return format_html(
        '<span hx-get="{}" hx-trigger="every 2s" hx-swap="outerHTML">{}</span>',
        reverse("treasury:withdrawal_stage", args=[row.reference]),
        progress(row.stage),
    )


def shown_amount(amount: Decimal, row: WithdrawalRow) -> SafeString:
    """What leaves: with the most that the network may take until it is sent, with what it took from then on."""
    is_sent = row.stage not in (UNSENT | UNDERWAY)
    return amount_with_fee(amount, from_units(row.fee_units, row.asset.decimals), row.asset, is_most=not is_sent)


def amount_with_fee(amount: Decimal, fee: Decimal, asset: Asset, *, is_most: bool) -> SafeString:
    """What leaves, what the network takes of it (or takes at most, DESIGN K7), and what arrives."""
    arrives = f"{markup.said(amount - fee, asset.code)}{' or more' if is_most and fee else ''} arrives"
    most = "at most " if is_most else ""
    return format_html(
        '{} <span class="quiet">· {}</span>',
        markup.amount(plain(amount), asset.code),
        f"network fee of {most}{markup.said(fee, asset.code)} included; {arrives}" if fee else arrives,
    )


def _progress(row: WithdrawalRow) -> tuple[Fact, ...]:
    if row.stage in (Stage.HELD, Stage.CANCELED):
        return ()
    facts = [Fact("At the network", live_progress(row)), Fact("Reference", markup.code(row.reference))]
    if row.said:
        facts.append(Fact("Besides", row.said))
    if row.page:
        facts.append(Fact("To be settled", format_html('<a href="{}">Say what became of it</a>', row.page)))
    return (*facts, Fact("Transaction", markup.code(row.txid))) if row.txid else tuple(facts)


def _figures(account: Account, asset: Asset, sent: Withdrawal) -> tuple[str, tuple[Figure, ...]]:
    """The balance counts in what is on hold; the amount was taken off what is free when it was asked."""
    exchange = venue(account.venue)
    try:
        row = next((row for row in exchange.balances(account.pk) if row.asset == asset), None)
    except Unavailable:
        row = None
    if row is None:
        return "", ()
    total, free = row.units + row.held_by_withdrawals_units, row.units - row.held_by_orders_units
    told = exchange.as_of(account.pk, Part.BALANCES)
    last_known = f", last known {dated(timezone.localtime(told.at))}" if told.trouble and told.at else ""
    return f"{account.name}, {asset.code}{last_known}", (
        Figure("Balance", _full(total, asset), _full(total - sent.amount_units, asset), final=True),
        Figure("On hold for this request", _full(sent.amount_units, asset), _full(0, asset)),
        Figure("Free to use", _full(free, asset), _full(free, asset)),
    )


def _booked(
    change: "ChangeRequest", account: Account, asset: Asset, sent: Withdrawal
) -> tuple[str, tuple[Figure, ...]]:
    """What the balance was, and what it became when this was sent, as the ledger holds it; nothing if it was not."""
    if change.state != State.EXECUTED or change.ended_at is None:
        return "", ()
    query = LedgerQuery(
        assets=(asset.code,),
        after=sent.created_at,
        until=change.ended_at + BOOKED_WITHIN,
        with_count=False,
    )
    try:
        rows = venue(account.venue).ledger(account.pk, query).rows
    except Unavailable:
        rows = ()
    found = next((row for row in rows if row.reference == sent.reference), None)
    if found is None or found.asset != asset:
        return "", ()
    before, after = found.balance_units - found.amount_units + found.fee_units, found.balance_units
    figure = Figure("Balance when it was sent", _full(before, asset), _full(after, asset), final=True)
    return f"{account.name}, {asset.code}", (figure,)


def _full(units: int, asset: Asset) -> str:
    return markup.grouped(wire(units, asset.decimals))


def _beware(change: "ChangeRequest", params: "Withdraw", sent: Withdrawal) -> tuple[Notice, ...]:
    """Read from what was asked; the row of the book only says who added it when, and what became of it."""
    organization_id, where = sent.organization_id, (params.address, params.memo)
    drift = mirrors.trouble_with(sent.account, sent.address)
    drifted = (Notice("stop", drift, mirrors.BARRED),) if drift else ()
    return drifted + warnings.told(
        organization_id,
        SinceAsked(sent.address, params.key),
        warnings.first_use(sent.address, *where),
        LookAlike(organization_id, params.network, params.address),
        AskedAlike(
            organization_id,
            sent.asset,
            sent.amount_units,
            *where,
            sent.created_at,
            change.initiator_label,
            member_id=change.member_id,
            service_user_id=change.service_user_id,
            but=sent.pk,
        ),
    )
