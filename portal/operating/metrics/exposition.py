"""All measures in the text format of Prometheus: those of the processes added up, and how the installation stands."""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import monotonic
from typing import Final

from django.conf import settings
from django.db import DatabaseError
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from portal.core.observing import folder, writing
from portal.core.observing.looker import Looker
from portal.core.observing.meters import AtScrape, Counter, Histogram, Meter, declared
from portal.operating.metrics import here, standing
from portal.operating.metrics.standing import Found

logger = logging.getLogger(__name__)
# Whoever asks for measures is answered within this time, however long the database takes.
PATIENCE_SECONDS: Final = 2.0
_said: Final[list[OSError]] = []


def text() -> bytes:
    """Everything that there is to tell."""
    registry = CollectorRegistry()
    registry.register(_All())
    return generate_latest(registry)


class _All(Collector):
    def collect(self) -> Iterable[Metric]:
        """Each measure once, by name, also one of which there is nothing yet."""
        writing.flush()
        found = _standing()
        told = {each.name: each for each in _of_processes(found)}
        told |= {meter.name.removesuffix("_total"): _family(meter, found) for meter in found}
        for meter in declared():
            told.setdefault(meter.name.removesuffix("_total"), _family(meter, {}))
        return [told[name] for name in sorted(told)]


def _standing() -> Found:
    """What is found out now; of the database nothing, where it does not answer in time."""
    began = monotonic()
    ready = here.is_ready()
    found = here.look(ready)
    is_up = ready.words.get("database") != "away" and ready.words.get("migrations") != "behind"
    of_database = _of_database() if is_up and monotonic() - began < PATIENCE_SECONDS else None
    return {**found, here.DATABASE_UP: {(): float(of_database is not None)}, **(of_database or {})}


def _of_database() -> "Found | None":
    return _look() if settings.METRICS_KEPT_SECONDS <= 0 else _looker.answer()


def _look() -> "Found | None":
    try:
        return standing.look()
    except DatabaseError:
        return None


def _of_processes(found: Found) -> list[Metric]:
    """What the processes of this machine have counted. A folder that cannot be read leaves out that alone."""
    path = Path(settings.METRICS_DIR)
    is_read = False
    merged: list[Metric] = []
    try:
        with folder.locked(path):
            merged = list(MultiProcessCollector.merge(folder.files(path)))
            found |= here.processes()
        is_read = True
    except OSError as error:
        _say_once(error)
    found[here.STORED] = {(): float(is_read and writing.is_written())}
    return merged


def _say_once(error: OSError) -> None:
    if not _said:
        _said.append(error)
        logger.warning("The folder of measures cannot be read, and those of no process are told: %s", error)


def _family(meter: Meter, found: Found) -> Metric:
    names = tuple(meter.labels)
    if isinstance(meter, Counter):
        return CounterMetricFamily(meter.name, meter.help, labels=names)
    if isinstance(meter, Histogram):
        return HistogramMetricFamily(meter.name, meter.help, labels=names)
    family = GaugeMetricFamily(meter.name, meter.help, labels=names)
    for labels, amount in _samples(meter, found):
        family.add_metric(labels, amount)
    return family


def _samples(meter: Meter, found: Found) -> Iterator[tuple[tuple[str, ...], float]]:
    if isinstance(meter, AtScrape):
        for labels, amount in found.get(meter, {}).items():
            yield meter.closed(labels), amount


_looker: Final = Looker["Found | None"](
    _look, kept=lambda: settings.METRICS_KEPT_SECONDS, patience=PATIENCE_SECONDS, late=None, name="measures"
)
