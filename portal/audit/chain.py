"""The chain: what an event's hash covers, and the walk that proves that nothing was changed or taken out."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC

import msgspec
from django.db import connection, transaction
from django.db.models import QuerySet

from portal.audit.models import AuditEvent, Chain
from portal.core.database.postgresql import standby
from portal.core.secrets.sealing import derived_key

CANONICAL = msgspec.json.Encoder(order="sorted")
PURPOSE = "history"
INSTALLATION = "installation"


@dataclass(frozen=True, slots=True)
class Broken:
    """The first place at which a chain does not hold."""

    chain: str
    sequence: int
    reason: str


@dataclass(frozen=True, slots=True)
class Head:
    """How far a chain reached at some time: printed and kept elsewhere, it shows a removed tail later."""

    chain: str
    length: int
    hash: str

    def __str__(self) -> str:
        return f"{self.chain} {self.length} {self.hash or '-'}"


def name_of(organization_id: int | None) -> str:
    """What the chain of an Organization is called; None is the installation's own."""
    return INSTALLATION if organization_id is None else f"organization-{organization_id}"


def seal(event: AuditEvent, chain: str) -> str:
    """HMAC-SHA256 over all fields of `event`, its place and the hash before it, as 64 hexadecimal digits."""
    return hmac.new(derived_key(PURPOSE), _canonical(event, chain), hashlib.sha256).hexdigest()


def is_genuine(event: AuditEvent) -> bool:
    """Whether the event is as it was recorded: only whoever holds the sealing keys can have written it."""
    return hmac.compare_digest(event.hash, seal(event, event.chain.name))


def verify(organization_id: int | None) -> Broken | None:
    """Walk the chain of an Organization, or of the installation, and name the first place that does not hold."""
    chain = Chain.objects.filter(name=name_of(organization_id)).first()
    return None if chain is None else verify_chain(chain)


def verify_chain(chain: Chain, kept: Iterable[Head] = ()) -> Broken | None:
    """As `verify`; `kept` are Heads noted earlier, which the chain must still run through.

    The long walk runs beside the writers; only what they added meanwhile is read under their lock.
    """
    walk = _Walk(chain.name, {head.length: head.hash for head in kept if head.chain == chain.name})
    if broken := walk.on(AuditEvent.objects.filter(chain=chain)):
        return broken
    with transaction.atomic():
        now = _standing(chain)
        return walk.on(AuditEvent.objects.filter(chain=chain, sequence__gt=walk.length)) or walk.end(now)


def _standing(chain: Chain) -> Chain:
    """The chain as nobody adds to it until the transaction ends; where nobody can, as it is seen until then."""
    if standby.is_read_only():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return Chain.objects.get(pk=chain.pk)
    return Chain.objects.select_for_update(no_key=True).get(pk=chain.pk)


class _Walk:
    """A walk along one chain, which can be taken up again where it stopped."""

    def __init__(self, chain: str, kept: dict[int, str]) -> None:
        self.chain = chain
        self.kept = kept
        self.length = 0
        self.hash = ""

    def on(self, events: QuerySet[AuditEvent]) -> Broken | None:
        for event in events.order_by("sequence").iterator(2000):
            if reason := self._step(event):
                return Broken(self.chain, self.length + 1, reason)
            self.length, self.hash = event.sequence, event.hash
        return None

    def end(self, chain: Chain) -> Broken | None:
        if (chain.length, chain.head) != (self.length, self.hash):
            return Broken(self.chain, self.length + 1, f"the chain should have {chain.length} events")
        missing = [length for length in self.kept if length > self.length]
        return Broken(self.chain, min(missing), "it was kept elsewhere and is gone") if missing else None

    def _step(self, event: AuditEvent) -> str:
        if event.sequence != self.length + 1:
            return f"it is missing: {event.sequence} follows {self.length}"
        if event.previous != self.hash:
            return "it does not follow the event before it"
        if not hmac.compare_digest(event.hash, seal(event, self.chain)):
            return "its fields are not those that were recorded"
        if self.kept.get(event.sequence, event.hash) != event.hash:
            return "it is not the event whose hash was kept elsewhere"
        return ""


def _canonical(event: AuditEvent, chain: str) -> bytes:
    return CANONICAL.encode(
        {
            "chain": chain,
            "sequence": event.sequence,
            "organization": event.organization_id,
            "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "kind": event.kind,
            "workflow": event.workflow,
            "account": event.account_id,
            "actor": [event.actor_kind, event.actor_id, event.actor_label],
            "subject": [event.subject_kind, event.subject_id, event.subject_label],
            "outcome": event.outcome,
            "source": event.source,
            "via": event.via,
            "request": event.request_id,
            "data": event.data,
            "previous": event.previous,
        }
    )
