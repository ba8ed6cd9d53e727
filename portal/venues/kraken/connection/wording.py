"""Requests about a connection in plain words (DESIGN R7): what the exchange lets each credential do, and what to beware
of.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from policies import registry
from policies.models import ChangeRequest
from policies.payload import decode
from portal.core.display import markup
from portal.core.display.descriptions import Description, Fact, Notice
from portal.core.display.phrases import dated
from portal.venues.kraken.connection.beware import warnings
from portal.venues.kraken.connection.params import Connect, Proposed
from portal.venues.kraken.credentials.permission_words import permission_words
from portal.venues.kraken.models import Credential, Purpose, Tier

P = TypeVar("P")
ONLY_THERE = "No bot ever holds them: they lie sealed here, and the portal signs with them."


def connection(change: ChangeRequest) -> Description:
    """An Account that would be one at an exchange."""
    params = _params(change, Connect)
    rows = of_request(change, params.credentials)
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
            *credential_facts(rows),
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
        notices=notices(rows) if change.is_open else (),
    )


def of_request(change: ChangeRequest, credentials: Sequence[Proposed]) -> list[Credential]:
    """The rows that a request names, whatever has become of them."""
    ids = [each.id for each in credentials]
    rows = Credential.objects.filter(organization=change.organization_id, pk__in=ids, request=change.reference)
    return list(rows.order_by("pk"))


def credential_facts(rows: Iterable[Credential]) -> tuple[Fact, ...]:
    """What the exchange says of each, as of when it was tried."""
    return tuple(Fact(Purpose(row.purpose).label, _said(row)) for row in rows)


def panel_facts(credentials: Iterable[Proposed]) -> tuple[Fact, ...]:
    """Each public half, short."""
    return tuple(Fact(Purpose(each.purpose).label, markup.code(short(each.public))) for each in credentials)


def notices(rows: Iterable[Credential]) -> tuple[Notice, ...]:
    """What to beware of in each, named by its purpose."""
    now = timezone.now()
    return tuple(
        Notice(each.level, f"{Purpose(row.purpose).label}, {row.short}: {each.title}", each.text)
        for row in rows
        for each in warnings(row, now)
    )


def short(public: str) -> str:
    """A public half as people read it."""
    return Credential(public=public).short


def _said(row: Credential) -> SafeString:
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
