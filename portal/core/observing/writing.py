"""The thread that writes what was noted into the folder of this machine, once a second, through `prometheus_client`."""

import logging
import os
from collections import Counter as Sums
from itertools import islice
from multiprocessing.util import Finalize
from pathlib import Path
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, Final

import prometheus_client
from django.conf import settings
from prometheus_client import CollectorRegistry, values

from portal.core.observing.folder import Place
from portal.core.observing.meters import OTHER, Counter, Gauge, Histogram, Labels, Meter, declared, heap

logger = logging.getLogger(__name__)

# How long after the folder failed it is tried again.
TRIED_AGAIN_SECONDS: Final = 60.0
FEW: Final = 40
# What `prometheus_client` reads; it is ours to set, whoever else has.
VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"


class Store:
    """The files of this process, as `prometheus_client` keeps them. Raises: OSError where there is no room."""

    def __init__(self, path: Path) -> None:
        self.place = Place(path)
        os.environ[VARIABLE] = str(path)
        self.values: Any = values.MultiProcessValue(lambda: self.place.name)
        self._metrics: dict[Meter, Any] = {}
        self._shown: dict[Gauge, set[Labels]] = {}
        for meter in declared():
            self._begin(meter)

    def write(self) -> None:
        """All notes that wait, and all gauges as they are now."""
        sums: Sums[tuple[Meter, Labels]] = Sums()
        for _ in range(len(heap)):
            noted, said, amount = heap.popleft()
            for taken in noted.taken(said, amount):
                if isinstance(taken.meter, Histogram):
                    self._child(taken.meter, taken.labels).observe(taken.amount)
                else:
                    sums[taken.meter, taken.labels] += taken.amount  # type: ignore[assignment]  # a sum of floats
        for (meter, labels), amount in sums.items():
            self._child(meter, labels).inc(amount)
        for meter in declared():
            if isinstance(meter, Gauge):
                self._show(meter)

    def close(self) -> None:
        """Write no more; the lock goes, and whoever looks next adds up what is here."""
        self.values.close_all_files()
        self.place.let_go()

    def _begin(self, meter: Meter) -> None:
        """Whatever there are few of begins with 0: what comes first is a step, and not a beginning."""
        series = [labels for labels in islice(meter.series(), FEW + 1) if OTHER not in labels]
        if len(series) <= FEW and isinstance(meter, Counter | Histogram):
            for labels in series:
                self._child(meter, labels)

    def _show(self, gauge: Gauge) -> None:
        found = gauge.read()
        for labels in self._shown.get(gauge, set()) - found.keys():
            self._child(gauge, labels).set(0)
        for labels, amount in found.items():
            self._child(gauge, labels).set(amount)
        self._shown[gauge] = set(found)

    def _child(self, meter: Meter, labels: Labels) -> Any:  # noqa: ANN401  (of three classes without a common one)
        metric = self._metric(meter)
        return metric.labels(*labels) if labels else metric

    def _metric(self, meter: Meter) -> Any:  # noqa: ANN401
        if meter not in self._metrics:
            # Only here is anything made by it, and each process has one store.
            values.ValueClass = self.values
            self._metrics[meter] = _made(meter)
        return self._metrics[meter]


def _made(meter: Meter) -> Any:  # noqa: ANN401
    names, nowhere = tuple(meter.labels), CollectorRegistry()
    if isinstance(meter, Counter):
        return prometheus_client.Counter(meter.name, meter.help, names, registry=nowhere)
    if isinstance(meter, Histogram):
        return prometheus_client.Histogram(meter.name, meter.help, names, registry=nowhere, buckets=meter.buckets)
    if isinstance(meter, Gauge):
        mode: Any = "livesum"
        return prometheus_client.Gauge(meter.name, meter.help, names, registry=nowhere, multiprocess_mode=mode)
    raise TypeError(f"{meter.name} is of no kind that is written.")


class _Writer:
    """What this process writes with; a fork begins with one of its own."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.store: Store | None = None
        self.thread: Thread | None = None
        self.is_over = Event()
        self.tried_at = -TRIED_AGAIN_SECONDS
        self.has_said = False

    def write(self) -> None:
        with self.lock:
            try:
                if self.store is None and monotonic() - self.tried_at >= TRIED_AGAIN_SECONDS:
                    self.tried_at = monotonic()
                    self.store = Store(Path(settings.METRICS_DIR))
                if self.store is not None:
                    self.store.write()
            except Exception as error:  # noqa: BLE001 - whatever a disk can do wrong: who is measured must not notice
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        store, self.store = self.store, None
        if store is not None:
            store.close()
        if not self.has_said:
            self.has_said = True
            logger.warning(
                "Nothing is measured in this process, which goes on without; tried again each minute. %s: %s",
                type(error).__name__,
                error,
            )

    def work(self) -> None:
        while not self.is_over.wait(settings.METRICS_WRITTEN_EVERY):
            self.write()

    def end(self) -> None:
        """Write no more. Whoever begins again takes another."""
        self.is_over.set()
        if self.thread is not None:
            self.thread.join()
        with self.lock:
            store, self.store = self.store, None
            if store is not None:
                store.close()


_writer = _Writer()
_forks: Final[list[bool]] = []


def is_served() -> bool:
    """Whether the operator has said who may have measures: by a token, or by address."""
    return bool(settings.METRICS_TOKEN or settings.METRICS_FROM)


def begin() -> None:
    """Have what this process notes written from now on; nothing, where the operator has asked for no measures."""
    if not is_served() or settings.METRICS_WRITTEN_EVERY <= 0 or _writer.thread is not None:
        return
    if not _forks:
        _forks.append(True)
        os.register_at_fork(after_in_child=_begin_anew)
        # Servers end their workers without `atexit`; this runs in both.
        Finalize(None, flush, exitpriority=0)
    _writer.thread = Thread(target=_writer.work, name="measures", daemon=True)
    _writer.thread.start()


def flush() -> None:
    """Write what was noted so far, where this process writes at all."""
    if _writer.thread is not None:
        _writer.write()


def is_written() -> bool:
    """Whether the folder takes what this process notes."""
    return _writer.store is not None


def _begin_anew() -> None:
    """In a fork: what waits is its parent's to write, and so are the files."""
    global _writer
    before, _writer = _writer, _Writer()
    heap.clear()
    if before.store is not None:
        before.store.place.let_go()
    if before.thread is not None:
        begin()
