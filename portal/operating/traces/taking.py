"""Which spans are taken, and what stands in them."""

import random
from contextvars import Token
from types import TracebackType
from typing import Final

from django.db import connection
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from portal.core import call_origin
from portal.core.observing.spans import NOTHING, Notes, Span
from portal.core.observing.statements import Statements
from portal.core.secrets.log_redaction import redacted

_PARENT: Final = TraceContextTextMapPropagator()


class Taking:
    """Takes a share of what comes in, and all that comes due."""

    def __init__(self, tracer: Tracer, share: float) -> None:
        self.tracer, self.share = tracer, share

    def root(self, name: str, notes: Notes, *, parent: str, is_shared: bool) -> Span:
        """A span of its own; within one that is taken a part of it, within a call that is not taken none."""
        if trace.get_current_span().is_recording():
            return _Open(self.tracer, name, notes, kind=SpanKind.INTERNAL)
        if is_shared:
            around = _PARENT.extract({"traceparent": parent}) if parent else Context()
            said = trace.get_current_span(around).get_span_context()
            is_taken = said.trace_flags.sampled if said.is_valid else random.random() < self.share  # noqa: S311
            return _Open(self.tracer, name, notes, around=around, kind=SpanKind.SERVER) if is_taken else NOTHING
        if call_origin.current().actor != call_origin.SYSTEM:
            return NOTHING
        return _Open(self.tracer, name, notes, around=Context(), kind=SpanKind.INTERNAL)

    def within(self, name: str, notes: Notes) -> Span:
        """A part of what is taken."""
        if not trace.get_current_span().is_recording():
            return NOTHING
        return _Open(self.tracer, name, notes, kind=SpanKind.INTERNAL)


class _Open:
    """One span for a block. With `around` it is a root, and statements within it are spans too."""

    def __init__(
        self, tracer: Tracer, name: str, notes: Notes, *, kind: SpanKind, around: Context | None = None
    ) -> None:
        self._span = tracer.start_span(
            name,
            context=around,
            kind=kind,
            attributes=_fit(notes),
            record_exception=False,
            set_status_on_exception=False,
        )
        self._statements = None if around is None else Statements()
        self._token: Token[Context] | None = None

    def note(self, notes: Notes, *, name: str = "") -> None:
        """Add to what is said of it."""
        self._span.set_attributes(_fit(notes))
        if name:
            self._span.update_name(name)

    def __enter__(self) -> "_Open":
        self._token = context.attach(trace.set_span_in_context(self._span))
        if self._statements is not None:
            connection.execute_wrappers.append(self._statements)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._statements is not None:
            connection.execute_wrappers.remove(self._statements)
        if kind is not None:
            # Which fault, never its words: they could hold anything.
            self._span.set_attribute("error.type", kind.__name__)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()
        if self._token is not None:
            context.detach(self._token)


def _fit(notes: Notes) -> dict[str, str | int]:
    return {name: redacted(said) if isinstance(said, str) else said for name, said in notes.items()}
