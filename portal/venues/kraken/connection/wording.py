"""Requests about a connection in plain words (DESIGN R7): what the exchange lets each credential do, and what to beware
of.
"""

from collections.abc import Iterable
from typing import TypeVar

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from policies import registry
from policies.models import ChangeRequest
from policies.payload import decode
from portal.core.display import markup
from portal.core.display.descriptions import Description, Fact, FieldChange, Notice
from portal.core.display.phrases import counted, dated
from portal.venues.kraken.connection.beware import warnings
from portal.venues.kraken.connection.connections import open_withdrawals
from portal.venues.kraken.connection.params import AddCredential, Connect, Disconnect, Proposed, RemoveCredential
from portal.venues.kraken.credentials.permission_words import permission_words
from portal.venues.kraken.models import Purpose, Tier, shortened

P = TypeVar("P")
ONLY_THERE = "No bot ever holds them: they lie sealed here, and the portal signs with them."


def connection(change: ChangeRequest) -> Description:
    """An Account that would be one at an exchange."""
    params = _params(change, Connect)
    sentence = format_html(
        "<b>{}</b> asks to connect <b>{}</b> to <b>{}</b>{}.",
        change.initiator_label,
        params.name,
        params.exchange,
        " again" if params.account_id else "",
    )
    withdraws = any(each.purpose == Purpose.WITHDRAW for each in params.credentials)
    return Description(
        sentence=sentence,
        facts=(
            Fact("Account", params.name),
            Fact("Exchange", params.exchange),
            Fact("Calls", Tier(params.tier).label),
            *credential_facts(params.credentials),
            Fact("Secrets", ONLY_THERE),
            Fact("Rights", "whoever holds a right for all Accounts holds it here too"),
        ),
        panel=(
            Fact("Connect", params.name),
            Fact("To", params.exchange),
            Fact("Can withdraw", "yes" if withdraws else "no"),
            *panel_facts(params.credentials),
            Fact("Asked by", change.initiator_label),
        ),
        notices=notices(params.credentials) if change.is_open else (),
    )


def addition(change: ChangeRequest) -> Description:
    """One more credential, or one in place of another."""
    params = _params(change, AddCredential)
    new = params.credential
    for_what = Purpose(new.purpose).label.lower()
    sentence = format_html(
        "<b>{}</b> asks that <b>{}</b> {} for {}.",
        change.initiator_label,
        params.account,
        "gets another credential in place of one" if params.replaces else "gets one more credential",
        for_what,
    )
    old = markup.code(shortened(params.replaced_public)) if params.replaces else "none"
    return Description(
        sentence=sentence,
        facts=(Fact("Account", params.account), *credential_facts([new]), Fact("Secrets", ONLY_THERE)),
        panel=(
            Fact("Account", params.account),
            *panel_facts([new]),
            Fact("In place of", old),
            Fact("Asked by", change.initiator_label),
        ),
        changes=(FieldChange(for_what.capitalize(), old, markup.code(new.short), grows=True),),
        notices=notices([new]) if change.is_open else (),
    )


def removal(change: ChangeRequest) -> Description:
    """A credential less."""
    params = _params(change, RemoveCredential)
    withdraws = params.purpose == Purpose.WITHDRAW
    return Description(
        sentence=format_html(
            "<b>{}</b> asks that <b>{}</b> loses a credential{}.",
            change.initiator_label,
            params.account,
            ", and can withdraw no more" if withdraws else "",
        ),
        facts=(Fact("Account", params.account), Fact("For", Purpose(params.purpose).label)),
        panel=(
            Fact("Remove", markup.code(shortened(params.public))),
            Fact("Of", params.account),
            Fact("Asked by", change.initiator_label),
        ),
        changes=(FieldChange("Credential", markup.code(shortened(params.public)), "its secret is forgotten"),),
        notices=left_behind(params.account_id) if withdraws and change.is_open else (),
    )


def disconnection(change: ChangeRequest) -> Description:
    """An Account that would be spoken for no more, and what is open there."""
    params = _params(change, Disconnect)
    left = open_withdrawals(params.account_id)
    orders = "could not be read" if params.open_orders is None else str(params.open_orders)
    return Description(
        sentence=format_html(
            "<b>{}</b> asks to disconnect <b>{}</b> from its exchange.", change.initiator_label, params.account
        ),
        facts=(
            Fact("Account", "stays, with its history and its bots, whose calls are refused from then on"),
            Fact("Secrets", "forgotten. Delete the keys at the exchange as well"),
            Fact("Withdrawals that wait", str(left.held)),
            Fact("On their way to the exchange", str(left.under_way)),
            Fact("Withdrawals unknown", str(left.unknown)),
            Fact("Open orders when it was asked", orders),
        ),
        panel=(Fact("Disconnect", params.account), Fact("Asked by", change.initiator_label)),
        notices=(*left_behind(params.account_id), *of_orders(params.open_orders)) if change.is_open else (),
    )


def left_behind(account_id: int) -> tuple[Notice, ...]:
    """What nobody could send or look for any more without a credential for withdrawals."""
    left, found = open_withdrawals(account_id), []
    if left.under_way or left.unknown:
        found.append(
            Notice(
                "stop",
                f"{counted(left.under_way + left.unknown, 'withdrawal')} may be on the way.",
                "The portal could not ask the exchange about them any more. Wait until they are settled, unless the "
                "credential is in wrong hands.",
            )
        )
    if left.held:
        found.append(
            Notice(
                "wait",
                f"{counted(left.held, 'withdrawal')} would fail.",
                "They wait for approvals here, and could not be sent. Reject them, or let them be decided first.",
            )
        )
    return tuple(found)


def of_orders(count: int | None) -> tuple[Notice, ...]:
    """Orders live on at the exchange, whoever is connected."""
    if count == 0:
        return ()
    title = "Open orders could not be read." if count is None else f"{counted(count, 'order')} would stay open."
    return (Notice("wait", title, "Orders stay at the exchange and may trade there. Cancel there what shall not."),)


def credential_facts(rows: Iterable[Proposed]) -> tuple[Fact, ...]:
    """What the exchange says of each, as of when it was tried."""
    return tuple(Fact(Purpose(row.purpose).label, _said(row)) for row in rows)


def panel_facts(credentials: Iterable[Proposed]) -> tuple[Fact, ...]:
    """Each public half, short."""
    return tuple(Fact(Purpose(each.purpose).label, markup.code(each.short)) for each in credentials)


def notices(rows: Iterable[Proposed]) -> tuple[Notice, ...]:
    """What to beware of in each, named by its purpose."""
    now = timezone.now()
    return tuple(
        Notice(each.level, f"{Purpose(row.purpose).label}, {row.short}: {each.title}", each.text)
        for row in rows
        for each in warnings(row, now)
    )


def _said(row: Proposed) -> SafeString:
    lines = (
        f"may: {permission_words(row.permissions)}",
        f"from: {', '.join(row.ip_allowlist) or 'any address'}",
        f"until: {dated(row.expires_at) if row.expires_at else 'it is deleted'}",
        f"nonce window: {row.nonce_window or 'none'}",
    )
    return format_html("{} {}", markup.code(row.short), format_html_join("", "<br>{}", ((line,) for line in lines)))


def _params(change: ChangeRequest, kind: type[P]) -> P:
    params: P = decode(registry.get(change.operation).params, change.params)
    return params
