"""The only writer of the history."""

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from threading import local
from typing import Final, Literal

from django.db import models, transaction
from django.utils import timezone

from portal.audit import chain as chains
from portal.audit import locks
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent, Chain
from portal.core import call_origin
from portal.core.actors import Actor
from portal.core.observing.meters import Counter

Outcome = Literal["success", "refused", "failed"]
Plain = str | int | bool | None | list["Plain"] | dict[str, "Plain"]

LABEL_LENGTH: Final = 200
EVENTS: Final = Counter(
    "countersign_events_total", "Events of the history, by kind.", {"kind": tuple(each.value for each in EventKind)}
)
# Letters that break a line, drive a terminal or turn the direction of text: written out, they forge nothing.
UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class _Appending(local):
    """The chain that this thread appends to, locked, and what it has appended so far; None while nothing collects."""

    chain: Chain | None = None
    events: list[AuditEvent]


_appending = _Appending()


def record(
    kind: EventKind,
    *,
    actor: Actor,
    subject: models.Model | None = None,
    organization_id: int | None = None,
    workflow: str = "",
    account_id: int | None = None,
    outcome: Outcome = "success",
    **data: object,
) -> AuditEvent:
    """Append one event to the Organization's chain, inside the caller's transaction.

    The Organization is the actor's unless given; without one the event belongs to the installation. `data` holds
    texts, whole numbers, amounts and lists of them, never a secret or a code.

    Raises: TransactionManagementError outside of a transaction, TypeError for data that has no exact form.
    """
    organization_id = actor.organization_id if organization_id is None else organization_id
    collects = _appending.chain
    together = collects is not None and collects.name == chains.name_of(organization_id)
    chain = collects if collects is not None and together else locks.history(organization_id)
    origin = call_origin.current()
    event = AuditEvent(
        chain=chain,
        sequence=chain.length + 1,
        organization_id=organization_id,
        at=timezone.now(),
        kind=kind.value,
        workflow=workflow or kind.workflow,
        account_id=account_id,
        actor_kind=actor.kind,
        actor_id=actor.pk,
        actor_label=_label(actor.label),
        subject_kind="" if subject is None else subject._meta.model_name or "",
        subject_id=0 if subject is None else subject.pk,
        subject_label="" if subject is None else _label(str(subject)),
        outcome=outcome,
        source=origin.source,
        via=encoded(origin.via),
        request_id=encoded(origin.request_id),
        data=plain(data),
        previous=chain.head,
    )
    event.hash = chains.seal(event, chain.name)
    chain.length, chain.head = event.sequence, event.hash
    transaction.on_commit(partial(EVENTS.add, kind.value))
    if together:
        _appending.events.append(event)
    else:
        event.save(force_insert=True)
        locks.advance(chain)
    return event


@contextmanager
def appending(organization_id: int) -> Iterator[None]:
    """Hold the Organization's history from here on, and append what is recorded inside at its end, in two statements.

    For whoever has asked beside others (`locks.ask_beside_others`): all that waits for anything else comes before. What
    is recorded inside has no primary key yet. On an exception it is forgotten, so this stands directly inside the
    transaction or savepoint that is given up then.
    """
    if _appending.chain is not None:
        raise RuntimeError("One history is appended to at a time.")
    chain = _appending.chain = locks.history_alone(organization_id)
    events = _appending.events = []
    try:
        yield
    finally:
        _appending.chain = None
    if events:
        AuditEvent.objects.bulk_create(events)
        locks.advance(chain)


def lock_history(organization_id: int | None) -> None:
    """Take the lock that orders everything governed in an Organization; it is held until the transaction ends.

    Raises: TransactionManagementError outside of a transaction.
    """
    locks.history(organization_id)


def lock_histories(organization_ids: Iterable[int | None]) -> None:
    """The same for what is written into several Organizations: in one order, so that two cannot wait for each other."""
    for organization_id in sorted(set(organization_ids), key=lambda number: number or 0):
        locks.history(organization_id)


def encoded(text: str) -> str:
    """`text` with every control, line-breaking and direction-changing letter written out as `\\u000a` (AU-6)."""
    return "".join(
        json.dumps(letter)[1:-1].replace("\\n", "\\u000a").replace("\\t", "\\u0009").replace("\\r", "\\u000d")
        if unicodedata.category(letter) in UNSAFE
        else letter
        for letter in text
    )


def plain(value: object) -> Plain:
    """`value` as JSON that both databases give back unchanged: no floats, amounts and instants as text.

    Raises: TypeError for anything else.
    """
    if isinstance(value, Mapping):
        return {encoded(str(name)): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return [plain(item) for item in sorted(value)]
    return _scalar(value)


def _scalar(value: object) -> Plain:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return encoded(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"The history cannot keep a {type(value).__name__} exactly.")


def _label(text: str) -> str:
    return encoded(text)[:LABEL_LENGTH]
