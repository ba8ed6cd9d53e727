"""One call on either of the two roads, and what is kept of it."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from django.db import transaction

from accounts.api_keys import credentials, lifecycle, usage
from accounts.models import ApiKey
from portal.api import middleware
from portal.api.limits import lockout, refusal_events
from portal.api.limits.failure_counters import InProcess
from portal.audit.models import AuditEvent
from portal.core import call_origin
from portal.treasury import expired_holds
from portal.venues.registry import venue
from tests.api.calls import FORM, Wire, next_nonce, sign

SOURCE = "192.0.2.7"
ANSWERS, GIVES_UP_READ, GIVES_UP_JUDGED, GIVES_UP_SPENT, KEEPS_OUT = "answers", "read", "judged", "spent", "keeps out"


@dataclass
class Sent:
    """One call, as a case has bent it."""

    wire: Wire
    method: str = "Balance"
    nonce: str = field(default_factory=lambda: str(next_nonce()))
    body: bytes | None = None
    environ: dict[str, Any] = field(default_factory=dict)

    def variables(self) -> dict[str, Any]:
        body = f"nonce={self.nonce}".encode() if self.body is None else self.body
        path = f"/0/private/{self.method}"
        return {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "CONTENT_TYPE": FORM,
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_API_KEY": self.wire.bot.public,
            "HTTP_API_SIGN": sign(self.wire.bot.secret, path, self.nonce, body),
            "REMOTE_ADDR": SOURCE,
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(body),
            **self.environ,
        }


Bend: TypeAlias = Callable[[Sent], object]


@dataclass
class Roads:
    """The door, with the straight path open or closed, and how far that went."""

    opened: bool = True
    went: list[str] = field(default_factory=list)
    computed: list[str] = field(default_factory=list)

    def send(self, sent: Sent) -> tuple[str, dict[str, str], bytes]:
        said: list[tuple[str, dict[str, str]]] = []

        def start_response(status, headers, exc_info=None, /):
            said.append((status, dict(headers)))
            return lambda _: None

        door = middleware.bot_api(lambda *_: [b"a page"])
        answer = b"".join(door(sent.variables(), start_response))
        [(status, headers)] = said
        assert len(headers.pop(call_origin.REQUEST_ID)) == 32
        return status, headers, answer


def kept(wire: Wire) -> dict[str, Any]:
    """All that is written down of a call."""
    counters = lockout._counters()
    assert isinstance(counters, InProcess)
    return {
        "key": ApiKey.objects.filter(pk=wire.bot.key.pk).values().get(),
        "use": dict(usage._pending),
        "failures": dict(counters._counters),
        "known": dict(lockout._noted._counters),
        "history": list(AuditEvent.objects.order_by("pk").values("kind", "source", "via", "outcome", "data")),
        "balances": [str(row) for row in venue("paper").balances(wire.bot.service_user.account_id)],
    }


def gone(roads: Roads, wire: Wire, bend: Bend, at: int) -> tuple[Any, ...]:
    """One case on one road, with `at` for the highest nonce, and the world put back as it was."""
    with transaction.atomic():
        for forget in (usage.forget_all, lockout.forget_all, refusal_events.forget_all, credentials._cache.clear):
            forget()
        lifecycle.find(wire.bot.public)
        expired_holds.release_due(wire.bot.service_user.account_id)
        ApiKey.objects.filter(pk=wire.bot.key.pk).update(last_nonce=at)
        sent = Sent(wire, nonce=str(at + 5))
        bend(sent)
        roads.computed.clear()
        answer = roads.send(sent)
        found = answer, list(roads.computed), kept(wire)
        transaction.set_rollback(True)
    return found
