"""How a destination is set on pages: all of it where it is read, its ends where it is repeated."""

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from portal.core.display import markup
from portal.treasury import destinations
from portal.treasury.destinations.banks import HOLDER
from portal.venues.types import Destination


def destination(network: str, address: str) -> SafeString:
    """All of an address in groups of four; those of banks part by part."""
    return format_html_join("", "{}", ((_part(label, text),) for label, text in destinations.parts(network, address)))


def ends(network: str, address: str) -> SafeString:
    """Two groups at either end, and who holds it if it is a bank account."""
    parts = dict(destinations.parts(network, address))
    holder = parts.pop(HOLDER, "")
    text = list(parts.values())[-1]
    short = markup.address_ends(text)
    return format_html("<span>{}, {}</span>", short, holder) if holder else short


def ends_as_kept(address: str) -> SafeString:
    """The same of an address that the history keeps, without the name of its network."""
    return ends(destinations.network_by_look(address), address)


def receiver(target: Destination) -> SafeString:
    """The name first, then the whole address, then the memo under the name it has there."""
    memo = destinations.network_of(target.network).memo or "Memo"
    said = format_html('<p>{} <span class="digest"><b>{}</b></span></p>', memo, target.memo) if target.memo else ""
    is_bank = destinations.network_of(target.network).is_bank
    return format_html(
        '<p><b>{}</b> <span class="quiet">· {}{}</span></p><p>{}</p>{}',
        target.key,
        target.network,
        "" if is_bank else f" · {len(target.address)} characters",
        destination(target.network, target.address),
        said,
    )


def _part(label: str, text: str) -> SafeString:
    if not label:
        return markup.address(text)
    value = format_html("<b>{}</b>", text) if label == HOLDER else markup.address(text)
    return format_html('<span class="part"><span class="label">{}</span> {}</span>', label, value)
