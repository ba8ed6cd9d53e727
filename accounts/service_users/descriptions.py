"""Requests about Service Users in plain words, always from what was asked and never from what is now."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from accounts import grants
from accounts.models import ServiceUser
from accounts.models.service_user import PERMISSION_GROUPS, Permission
from accounts.service_users.key_settings import Limits, grown
from accounts.service_users.risk import at_worst, cap, caps_in_words
from policies import registry
from policies.payload import decode
from portal.core.display import markup
from portal.core.display.descriptions import Description, Fact, FieldChange, Notice, Onward
from portal.core.display.phrases import counted, listed

if TYPE_CHECKING:
    from accounts.service_users.params import ChangeServiceUser, CreateServiceUser
    from policies.models import ChangeRequest

Text = str | SafeString


def name_of(service_user_id: int) -> str:
    """The bot's name, for the title that a request keeps."""
    return ServiceUser.objects.filter(pk=service_user_id).values_list("name", flat=True).first() or "that is gone"


def creation(change: "ChangeRequest") -> Description:
    """What the new bot could do."""
    params: CreateServiceUser = decode(registry.get(change.operation).params, change.params)
    limits = params.limits
    account = grants.account_names(change.organization_id).get(params.account_id, "?")
    sentence = format_html(
        "<b>{}</b> asks to create the service user <b>{}</b> for <b>{}</b>. It {}.",
        change.initiator_label,
        params.name,
        account,
        _abilities(limits),
    )
    facts = (
        *((Fact("Purpose", markup.quoted(limits.purpose)),) if limits.purpose else ()),
        Fact("At worst", at_worst(limits, change.organization.currency)),
        Fact("Account", account),
        Fact("Permissions", permissions(limits.permissions)),
        Fact("Expires", until(limits.expires_at, "never")),
        Fact("IP allow-list", networks(limits.ip_allow_list)),
        Fact("Queries from", until(limits.query_start, "the beginning")),
        Fact("Queries until", until(limits.query_end, "no end")),
        Fact("WebSocket", "on" if limits.websocket else "off"),
        Fact("Nonce window", str(limits.nonce_window)),
        *((Fact("Withdraws at most", said),) if (said := caps_in_words(limits, change.organization.currency)) else ()),
        Fact(
            "Custodian",
            f"{change.initiator_label} reveals the secret, and can never approve what this key asks",
        ),
    )
    panel = (
        Fact("Create", params.name),
        Fact("For", account),
        Fact("May withdraw", "yes" if limits.may_withdraw else "no"),
        Fact("Asked by", change.initiator_label),
    )
    return Description(
        sentence=sentence,
        facts=facts,
        panel=panel,
        notices=loose(limits, params.acknowledged),
        onward=Onward(f"Reveal the secret of {params.name}", reverse("accounts:service_user", args=[params.name])),
    )


def alteration(change: "ChangeRequest") -> Description:
    """What the bot would gain and lose."""
    params: ChangeServiceUser = decode(registry.get(change.operation).params, change.params)
    before, after = params.before, params.after
    name = change.title.removeprefix("Change service user ")
    gained = [label for label in _labels(after.permissions) if label not in _labels(before.permissions)]
    lost = [label for label in _labels(before.permissions) if label not in _labels(after.permissions)]
    wider = grown(before, after)
    fields = field_changes(before, after, change.organization.currency)
    sentence = format_html(
        "<b>{}</b> asks to change the service user <b>{}</b>: {}. Its keys stay the same.",
        change.initiator_label,
        name,
        _steps(gained, lost, [field.field for field in fields if field.field not in (*gained, *lost)]),
    )
    notices = loose(after, params.acknowledged)
    if wider:
        widened = Notice(
            "wait",
            "This gives the bot more power than it has.",
            f"{change.initiator_label} becomes a custodian and can never approve what {name} asks for.",
        )
        notices = (widened, *notices)
    panel = (
        Fact("Change", name),
        *((Fact("Gains", ", ".join(gained)),) if gained else ()),
        *((Fact("Loses", ", ".join(lost)),) if lost else ()),
        Fact("Settings", ", ".join(field.field for field in fields if field.field not in (*gained, *lost)) or "as now"),
        Fact("Asked by", change.initiator_label),
    )
    return Description(sentence=sentence, facts=(), panel=panel, changes=fields, notices=notices)


def lifting(change: "ChangeRequest") -> Description:
    """Which bot would work again."""
    name = change.title.removeprefix("Lift suspension of ")
    sentence = format_html(
        "<b>{}</b> asks to lift the suspension of <b>{}</b>. Its keys work again at once.", change.initiator_label, name
    )
    panel = (Fact("Lift suspension of", name), Fact("Asked by", change.initiator_label))
    return Description(sentence=sentence, facts=(), panel=panel)


def removal(change: "ChangeRequest") -> Description:
    """Which bot would go."""
    name = change.title.removeprefix("Remove service user ")
    sentence = format_html(
        "<b>{}</b> asks to remove the service user <b>{}</b>. Its keys stop for ever, and what it asked for is "
        "cancelled.",
        change.initiator_label,
        name,
    )
    panel = (Fact("Remove", name), Fact("Asked by", change.initiator_label))
    return Description(sentence=sentence, facts=(), panel=panel)


def field_changes(before: Limits, after: Limits, currency: str) -> tuple[FieldChange, ...]:
    """Each permission and setting that differs, with what gives more power marked."""
    wider = grown(before, after)
    switched = [
        FieldChange(
            field=permission.label,
            before="yes" if permission in before.permissions else "no",
            after="yes" if permission in after.permissions else "no",
            grows=permission in after.permissions,
        )
        for group in PERMISSION_GROUPS.values()
        for permission in group
        if (permission in before.permissions) != (permission in after.permissions)
    ]
    rows: tuple[tuple[str, str, Text, Text], ...] = (
        ("expires_at", "Expiry", until(before.expires_at, "never"), until(after.expires_at, "never")),
        ("ip_allow_list", "IP allow-list", networks(before.ip_allow_list), networks(after.ip_allow_list)),
        (
            "query_start",
            "Queries from",
            until(before.query_start, "the beginning"),
            until(after.query_start, "the beginning"),
        ),
        ("query_end", "Queries until", until(before.query_end, "no end"), until(after.query_end, "no end")),
        ("websocket", "WebSocket", "on" if before.websocket else "off", "on" if after.websocket else "off"),
        ("nonce_window", "Nonce window", str(before.nonce_window), str(after.nonce_window)),
        (
            "withdrawal_cap",
            "Most at once",
            cap(before.withdrawal_cap, currency),
            cap(after.withdrawal_cap, currency),
        ),
        ("daily_cap", "Most in 24 hours", cap(before.daily_cap, currency), cap(after.daily_cap, currency)),
        ("purpose", "Purpose", _said(before.purpose), _said(after.purpose)),
    )
    settings = [FieldChange(label, old, new, name in wider) for name, label, old, new in rows if old != new]
    return (*switched, *settings)


def permissions(held: Sequence[str]) -> str:
    """Permissions in words, with commas."""
    return ", ".join(_labels(held))


def networks(allowed: Sequence[str]) -> Text:
    """An allow-list as it is read: its ranges, or that there is none."""
    if not allowed:
        return "any address"
    return format_html_join(" ", "<code>{}</code>", ((network,) for network in allowed))


def until(at: datetime | None, otherwise: str) -> Text:
    """An instant as it is read, or `otherwise` where there is none."""
    return markup.instant(at) if at else otherwise


def _said(purpose: str) -> Text:
    return markup.quoted(purpose) if purpose else "not said"


def _abilities(limits: Limits) -> SafeString:
    others = [label for label in _labels(limits.permissions) if label != Permission.WITHDRAW.label]
    if not limits.may_withdraw:
        return format_html("cannot withdraw, and gets {}", counted(len(others), "permission"))
    if not others:
        return mark_safe("may <b>withdraw</b> to the approved addresses of that account, and nothing else")
    return format_html(
        "may <b>withdraw</b> to the approved addresses of that account, and gets {}",
        counted(len(others), "other permission"),
    )


def _steps(gained: Sequence[str], lost: Sequence[str], settings: Sequence[str]) -> str:
    """What would be done to it, as the end of a sentence."""
    steps = (
        ("give it {}", gained),
        ("take {} away", lost),
        ("set another {}", settings),
    )
    return "; ".join(words.format(listed(names)) for words, names in steps if names)


def loose(limits: Limits, acknowledged: bool) -> tuple[Notice, ...]:
    """What the approvers have to know of a key that may withdraw without an end, or from anywhere (AP-8)."""
    if not limits.is_loose:
        return ()
    lacks = " and ".join(
        words
        for words, applies in (
            ("never expires", limits.expires_at is None),
            ("works from any address", not limits.ip_allow_list),
        )
        if applies
    )
    meant = "Whoever asks ticked that this is meant." if acknowledged else "Nobody has said that this is meant."
    return (Notice("wait", f"This key may withdraw and {lacks}.", meant),)


def _labels(held: Sequence[str]) -> list[str]:
    return [permission.label for permission in Permission if permission in held]
