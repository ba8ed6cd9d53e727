"""Spans to a collector by OTLP over HTTP: sent by a thread of their own, dropped where they are not taken."""

import logging
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Tracer

logger = logging.getLogger(__name__)
# How long one batch is tried, and how long spans wait for a batch.
SECONDS: Final = 2.0
EVERY_MILLISECONDS: Final = 1_000
QUEUE, BATCH = 2_048, 512
# Where collectors take traces unless the endpoint says another path (OTLP 1.5 §otlphttp-request).
PATH: Final = "/v1/traces"
ENDPOINT_IS: Final = "PORTAL_TRACES_ENDPOINT is the address of a collector, such as http://127.0.0.1:4318."


class Sending(SpanExporter):
    """Hands batches on; says once that they are not taken, and once that they are again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self.exporter, self.is_failing, self.is_ending = exporter, False, False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send one batch. What did not go is dropped; when a process ends, nothing is tried twice."""
        if self.is_ending and self.is_failing:
            return SpanExportResult.FAILURE
        try:
            result = self.exporter.export(spans)
        except Exception:  # noqa: BLE001 - whatever a collector can do wrong
            result = SpanExportResult.FAILURE
        has_failed = result is not SpanExportResult.SUCCESS
        if has_failed and not self.is_failing:
            logger.warning("Traces are not taken by their collector; they are dropped meanwhile")
        if self.is_failing and not has_failed:
            logger.warning("Traces are taken again")
        self.is_failing = has_failed
        return result

    def shutdown(self) -> None:
        """Nothing goes out any more."""
        self.exporter.shutdown()


def address(endpoint: str) -> str:
    """Where traces are posted to. Raises: ValueError, saying what an endpoint is."""
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(ENDPOINT_IS)
    return endpoint if parts.path.strip("/") else endpoint.rstrip("/") + PATH


class Collector:
    """Where spans go: `tracer` makes them, and a thread sends them until the process ends.

    Raises: ValueError if the endpoint is none.
    """

    def __init__(self, endpoint: str, *, version: str) -> None:
        about = Resource.create({"service.name": "countersign", "service.version": version})
        # Nothing that is noted is longer: what is said of a call fits on a line.
        limits = SpanLimits(max_span_attribute_length=200, max_span_attributes=20)
        self._sending = Sending(OTLPSpanExporter(endpoint=address(endpoint), timeout=SECONDS))
        self._provider = TracerProvider(resource=about, span_limits=limits, shutdown_on_exit=False)
        self._provider.add_span_processor(
            BatchSpanProcessor(
                self._sending,
                max_queue_size=QUEUE,
                max_export_batch_size=BATCH,
                schedule_delay_millis=EVERY_MILLISECONDS,
            )
        )
        self.tracer: Tracer = self._provider.get_tracer("countersign", version)

    def send(self) -> None:
        """Send what waits, and wait for it."""
        self._provider.force_flush()

    def end(self) -> None:
        """Send what waits, unless it is known not to be taken, and nothing from then on."""
        self._sending.is_ending = True
        self._provider.shutdown()
