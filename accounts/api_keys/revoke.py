"""Revoking a key for good by request; its custodians do so at once by an emergency stop (DESIGN §4)."""

from dataclasses import dataclass

from django.utils import timezone
from django.utils.html import format_html

from accounts.api_keys import lifecycle
from accounts.models import ApiKey
from policies import changes
from policies.models import ChangeRequest
from policies.registry import Headline, Touched, operation, takes_all
from policies.rules import lock_protection
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Actor
from portal.core.display.descriptions import Description, Fact
from portal.core.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class RevokeKey:
    """Which key is to end for ever; its short form and its bot are said for the record."""

    api_key_id: int
    short: str
    bot: str


def params_of(key: ApiKey) -> RevokeKey:
    """What a request to revoke that key holds: which it is, and the words that stay when it is gone."""
    return RevokeKey(key.pk, key.short, key.service_user.name)


def check_revoking(*, actor: Actor, params: RevokeKey, change: ChangeRequest) -> None:
    """Raises: NotFound for a key of another Organization; Conflict if it has ended."""
    _find(params, change)


def describe_revoking(change: ChangeRequest) -> Description:
    """The request in words, from its params alone: the key may be over by the time this is read."""
    short, bot = str(change.params.get("short", "?")), str(change.params.get("bot", "?"))
    return Description(
        sentence=format_html(
            "<b>{}</b> asks to revoke the key <b>{}</b> of <b>{}</b>. It stops for ever, and what it asked for is "
            "cancelled.",
            change.initiator_label,
            short,
            bot,
        ),
        facts=(),
        panel=(Fact("Revoke", short), Fact("Key of", bot), Fact("Asked by", change.initiator_label)),
    )


def touched_by_revoking(*, params: RevokeKey, change: ChangeRequest) -> tuple[Touched, ...]:
    """Whether the key still lives, so that a request about one that ended meanwhile is stale."""
    found = ApiKey.objects.filter(pk=params.api_key_id, service_user__organization_id=change.organization_id).first()
    return (Touched(f"Key {params.short}", "over already" if found is None or found.is_over else "there", "revoked"),)


@operation(
    "accounts.revoke_key",
    title="Revoke a key",
    workflow=Workflow.MANAGE_ACCESS,
    params=RevokeKey,
    subject=lambda params: f"api_key:{params.api_key_id}",
    headline=lambda params: Headline(f"Revoke the key {params.short} of {params.bot}"),
    describe=describe_revoking,
    opened=check_revoking,
    touches=touched_by_revoking,
    takes_power=takes_all,
    protection=lock_protection.TAKE_KEY,
)
def revoke_key(*, actor: Actor, params: RevokeKey, change: ChangeRequest) -> ApiKey:
    """End a key for ever, working or paused; what it asked for is cancelled and holds are given back.

    Raises: as `check_revoking`.
    """
    key = _find(params, change)
    changes.cancel_all(api_key=key, reason=f"The key {key.short} was revoked.", actor=actor)
    lifecycle.revoke(key, at=timezone.now())
    record(
        EventKind.KEY_REVOKED,
        actor=actor,
        subject=key,
        organization_id=change.organization_id,
        workflow=Workflow.MANAGE_ACCESS,
        bot=key.service_user.name,
        change=change.reference,
    )
    return key


def _find(params: RevokeKey, change: ChangeRequest) -> ApiKey:
    keys_here = ApiKey.objects.select_related("service_user").filter(
        service_user__organization_id=change.organization_id
    )
    key = keys_here.filter(pk=params.api_key_id).first()
    if key is None:
        raise NotFound("There is no such key.")
    if key.is_over:
        raise Conflict("This key has ended already.")
    return key
