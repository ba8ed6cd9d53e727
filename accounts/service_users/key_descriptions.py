"""Requests about keys in plain words, from what was asked."""

from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.service_users.descriptions import loose, networks, permissions, until
from accounts.service_users.risk import at_worst
from policies import registry
from policies.payload import decode
from portal.core.display.descriptions import Description, Fact, Onward

if TYPE_CHECKING:
    from accounts.service_users.params import RotateKey
    from policies.models import ChangeRequest

TITLE = "Rotate the key of "


def rotation(change: "ChangeRequest") -> Description:
    """Which key would come, which would go, and when."""
    params: RotateKey = decode(registry.get(change.operation).params, change.params)
    name, limits = change.title.removeprefix(TITLE), params.new_limits
    facts = (
        Fact("Old key", ", ".join(params.replaced) or "none that works"),
        Fact("Old key stops", overlap(params.overlap_hours) if params.replaced else "nothing to stop"),
        Fact("New key expires", until(limits.expires_at, "never")),
        Fact("At worst", at_worst(limits, change.organization.currency)),
        Fact("Permissions", permissions(limits.permissions)),
        Fact("IP allow-list", networks(limits.ip_allow_list)),
        Fact(
            "Custodian",
            f"{change.initiator_label} reveals the secret, and can never approve what this key asks",
        ),
    )
    panel = (
        Fact("Rotate the key of", name),
        Fact("May withdraw", "yes" if limits.may_withdraw else "no"),
        Fact("Old key stops", overlap(params.overlap_hours) if params.replaced else "nothing to stop"),
        Fact("Asked by", change.initiator_label),
    )
    return Description(
        sentence=_sentence(change.initiator_label, name, params),
        facts=facts,
        panel=panel,
        notices=loose(limits, params.acknowledged),
        onward=Onward(f"Reveal the new secret of {name}", reverse("accounts:service_user", args=[name])),
    )


def overlap(hours: int) -> str:
    """When the old key stops: `3 days after the new one is revealed`."""
    if hours == 0:
        return "when the new one is revealed"
    days, rest = divmod(hours, 24)
    words = f"{hours} hours" if rest else f"{days} day{'' if days == 1 else 's'}"
    return f"{words} after the new one is revealed"


def _sentence(asker: str, name: str, params: "RotateKey") -> SafeString:
    if not params.replaced:
        return format_html("<b>{}</b> asks to make a new key for <b>{}</b>, which has none that works.", asker, name)
    return format_html(
        "<b>{}</b> asks to make a new key for <b>{}</b>. The old one stops {}.",
        asker,
        name,
        overlap(params.overlap_hours),
    )
