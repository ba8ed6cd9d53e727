"""Requests about money in plain words (DESIGN R7): what was asked is read from the params, never from the book."""

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Account
from policies import registry
from policies.models import State
from policies.payload import decode
from portal.core import markup
from portal.core.describing import Description, Fact, Figure, Notice
from portal.core.money import plain, wire
from portal.treasury.models import Address, Withdrawal
from portal.venues.registry import venue
from portal.venues.types import Asset, Stage, WithdrawalRow

if TYPE_CHECKING:
    from policies.models import ChangeRequest
    from portal.treasury.operations.addresses import AddAddress, RemoveAddress
    from portal.treasury.operations.withdrawing import Withdraw

ALIKE_WITHIN: Final = timedelta(hours=24)
PROGRESS: Final[dict[Stage, tuple[str, markup.Level]]] = {
    Stage.HELD: ("On hold", "wait"),
    Stage.INITIAL: ("Initial", "wait"),
    Stage.PENDING: ("Pending at the network", "wait"),
    Stage.SETTLED: ("Settled", "wait"),
    Stage.SUCCESS: ("Success", "done"),
    Stage.FAILURE: ("Failure", "stop"),
    Stage.CANCELED: ("Given back", "void"),
}


def withdrawal(change: "ChangeRequest") -> Description:
    """What would leave, from where, to where, and what that does to the balance."""
    params: Withdraw = decode(registry.get(change.operation).params, change.params)
    account = Account.objects.get(pk=params.account_id)
    exchange = venue(account.venue)
    asset = exchange.asset(params.asset)
    sent = Withdrawal.objects.get(change=change)
    row = exchange.withdrawal(sent.reference)
    sentence = format_html(
        '{}<b>{}</b> asks to send <b class="nowrap">{} {}</b> from <b>{}</b> to the address <b class="nowrap">{}</b>.',
        "The bot " if change.service_user_id else "",
        change.initiator_label,
        plain(params.amount),
        asset.code,
        account.name,
        params.key,
    )
    facts = (
        Fact("Amount", _amount(params.amount, params.fee, asset)),
        Fact("From", account.name),
        Fact("To", _receiver(params.key, params.network, params.address, params.memo)),
        *_progress(row),
    )
    panel = (
        Fact("Withdraw", markup.amount(plain(params.amount), asset.code)),
        Fact("To", format_html("<b>{}</b><br>{}", params.key, markup.address_ends(params.address))),
        Fact("From", account.name),
    )
    is_held = row.stage is Stage.HELD
    return Description(
        sentence=sentence,
        facts=facts,
        panel=panel,
        figures_title=f"{account.name}, {asset.code}" if is_held else "",
        figures=_figures(account, asset, sent) if is_held else (),
        notices=(*_first_use(params, sent), *_alike(change, params, sent)) if change.is_open else (),
    )


def addition(change: "ChangeRequest") -> Description:
    """Where money could go afterwards."""
    params: AddAddress = decode(registry.get(change.operation).params, change.params)
    account = Account.objects.get(pk=params.account_id)
    method = venue(account.venue).withdrawal_method(params.asset, params.method)
    sentence = format_html(
        "<b>{}</b> asks that <b>{}</b> may send <b>{}</b> to a new address, called <b>{}</b>.",
        change.initiator_label,
        account.name,
        method.asset.code,
        params.key,
    )
    facts = (
        Fact("Account", account.name),
        Fact("Asset", method.asset.code),
        Fact("Address", _receiver(params.key, method.network, params.address, params.memo)),
    )
    panel = (
        Fact("Add", params.key),
        Fact("Address", markup.address_ends(params.address)),
        Fact("For", f"{method.asset.code} of {account.name}"),
    )
    title = "Money sent there cannot be called back."
    notice = Notice("wait", title, "Compare the address, letter by letter, with a source outside this portal.")
    return Description(sentence, facts, panel, notices=(notice,) if change.is_open else ())


def removal(change: "ChangeRequest") -> Description:
    """Where no more money could go."""
    params: RemoveAddress = decode(registry.get(change.operation).params, change.params)
    address = Address.objects.select_related("account").get(pk=params.address_id)
    sentence = format_html(
        "<b>{}</b> asks to remove the address <b>{}</b> of <b>{}</b>. What already waits to be sent there still goes.",
        change.initiator_label,
        params.key,
        address.account.name,
    )
    facts = (
        Fact("Account", address.account.name),
        Fact("Address", _receiver(params.key, address.network, address.address, address.memo)),
    )
    panel = (Fact("Remove", params.key), Fact("Address", markup.address_ends(address.address)))
    return Description(sentence, facts, panel)


def progress(stage: Stage) -> SafeString:
    """How far the venue says it has got."""
    return markup.badge(*PROGRESS[stage])


def _amount(amount: Decimal, fee: Decimal, asset: Asset) -> SafeString:
    arrives = f"{plain(amount - fee)} {asset.code} arrives"
    return format_html(
        '{} <span class="quiet">· {}</span>',
        markup.amount(plain(amount), asset.code),
        f"network fee of {plain(fee)} {asset.code} included; {arrives}" if fee else arrives,
    )


def _receiver(key: str, network: str, address: str, memo: str) -> SafeString:
    said = format_html('<p>Memo <span class="digest"><b>{}</b></span></p>', memo) if memo else ""
    return format_html(
        '<p><b>{}</b> <span class="quiet">· {} · {} characters</span></p><p>{}</p>{}',
        key,
        network,
        len(address),
        markup.address(address),
        said,
    )


def _progress(row: WithdrawalRow) -> tuple[Fact, ...]:
    if row.stage in (Stage.HELD, Stage.CANCELED):
        return ()
    facts = [Fact("At the network", progress(row.stage)), Fact("Reference", markup.code(row.reference))]
    return (*facts, Fact("Transaction", markup.code(row.txid))) if row.txid else tuple(facts)


def _figures(account: Account, asset: Asset, sent: Withdrawal) -> tuple[Figure, ...]:
    """The balance counts in what is on hold; the amount was taken off what is free when it was asked."""
    rows = {row.asset.id: row for row in venue(account.venue).balances(account.pk)}
    row = rows[asset.id]
    total, free = row.units + row.held_by_withdrawals_units, row.units - row.held_by_orders_units

    def shown(units: int) -> str:
        return wire(units, asset.decimals)

    return (
        Figure("Balance", shown(total), shown(total - sent.amount_units), final=True),
        Figure("On hold for this request", shown(sent.amount_units), shown(0)),
        Figure("Free to use", shown(free), shown(free)),
    )


def _first_use(params: "Withdraw", sent: Withdrawal) -> tuple[Notice, ...]:
    """Says when nothing was ever sent there from this Organization, under whatever name."""
    to_it = Withdrawal.objects.filter(organization=sent.organization_id, address__address=params.address)
    if to_it.filter(change__state=State.EXECUTED).exists():
        return ()
    added = Address.objects.get(pk=params.address_id)
    day = timezone.localtime(added.added_at)
    text = f"It was added on {day.day} {day:%b %Y} by {added.added_by}. Compare it with a source outside this portal."
    return (Notice("wait", "Nothing has been sent to this address before.", text),)


def _alike(change: "ChangeRequest", params: "Withdraw", sent: Withdrawal) -> tuple[Notice, ...]:
    """A like withdrawal of the same initiator within a day may be a mistake or a replay (security AP-14)."""
    others = (
        Withdrawal.objects.filter(
            change__service_user=change.service_user_id,
            change__member=change.member_id,
            organization=sent.organization_id,
            asset=sent.asset,
            amount_units=sent.amount_units,
            address__address=params.address,
            created_at__gt=sent.created_at - ALIKE_WITHIN,
            created_at__lt=sent.created_at + ALIKE_WITHIN,
        )
        .exclude(pk=sent.pk)
        .select_related("change")
        .order_by("-pk")[:5]
    )
    said = [f"request {other.change.number} ({other.change.shown_state.label.lower()})" for other in others]
    if not said:
        return ()
    text = f"See {', '.join(said)}. Make sure that both are meant."
    title = f"{change.initiator_label} asked for the same amount to the same address within 24 hours."
    return (Notice("wait", title, text),)
