"""What is noted is written in a thread of its own; a disk that fails, or notes that nobody takes, stop nothing."""

import os

import pytest
from prometheus_client.multiprocess import MultiProcessCollector

from portal.core.observing import folder, meters, writing
from portal.core.observing.meters import Counter, Gauge, Histogram
from tests.core.observing.test_folder import told

NOTHING: dict[str, dict[tuple[str, ...], float]] = {}


@pytest.fixture
def path(settings, tmp_path):
    settings.METRICS_DIR = tmp_path / "metrics"
    return settings.METRICS_DIR


@pytest.fixture
def writer(path, monkeypatch):
    """As in a process that serves, without the thread unless a test begins it."""
    found = writing._Writer()
    monkeypatch.setattr(writing, "_writer", found)
    meters.heap.clear()
    yield found
    found.end()


@pytest.fixture
def declared(monkeypatch):
    """None but those of the test."""
    monkeypatch.setattr(meters, "_declared", {})


@pytest.mark.usefixtures("declared")
def test_counters_histograms_and_gauges_are_written(path, writer):
    done = Counter("countersign_done_total", "Done.", {"how": ("well", "badly")})
    took = Histogram("countersign_took_seconds", "Took.", buckets=(0.1, 1.0))
    there = Gauge("countersign_there", "There.", {"what": ("one", "two")})
    there.ask(lambda: {("one",): 3.0})
    done.add("well")
    done.add("well", amount=2)
    took.observe(0.5)
    writer.write()
    found = told(path)
    assert found["countersign_took_seconds_count"] == 1
    assert found["countersign_took_seconds_sum"] == 0.5
    assert writer.store.place.path == path
    assert not meters.heap
    there.ask(lambda: {("two",): 1.0})
    writer.write()
    lines = exposed(path)
    assert lines['countersign_done_total{how="well"}'] == 3
    assert lines['countersign_done_total{how="badly"}'] == 0
    # What is no more is none, and not what it was last.
    assert (lines['countersign_there{what="one"}'], lines['countersign_there{what="two"}']) == (0, 1)
    assert lines['countersign_took_seconds_bucket{le="1.0"}'] == 1
    assert lines['countersign_took_seconds_bucket{le="0.1"}'] == 0


def exposed(path):
    with folder.locked(path):
        merged = MultiProcessCollector.merge(folder.files(path))
    return {
        f"{each.name}{{{','.join(f'{name}={value!r}' for name, value in each.labels.items())}}}".replace("'", '"'): (
            each.value
        )
        for metric in merged
        for each in metric.samples
    }


@pytest.mark.usefixtures("declared")
def test_a_label_says_what_is_in_its_set_and_nothing_else(path, writer):
    done = Counter("countersign_done_total", "Done.", {"how": ("well",)})
    done.add("Demo Treasury <owner@example.com>")
    writer.write()
    assert exposed(path) == {'countersign_done_total{how="well"}': 0, 'countersign_done_total{how="other"}': 1}


@pytest.mark.usefixtures("declared")
def test_a_name_is_declared_once():
    Counter("countersign_done_total", "Done.")
    with pytest.raises(ValueError, match="countersign_done_total is declared twice"):
        Counter("countersign_done_total", "Done.")


@pytest.mark.usefixtures("declared")
def test_a_folder_that_takes_nothing_is_said_once_and_tried_again(path, writer, caplog, monkeypatch):
    done = Counter("countersign_done_total", "Done.")
    path.write_text("a file where the folder should be")
    for _ in range(3):
        done.add()
        writer.write()
        writer.tried_at -= writing.TRIED_AGAIN_SECONDS
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "Nothing is measured in this process" in caplog.text
    path.unlink()
    writer.write()
    done.add()
    writer.write()
    assert exposed(path)["countersign_done_total{}"] >= 1


@pytest.mark.usefixtures("declared")
def test_a_gauge_that_fails_stops_nothing(path, writer, caplog):
    there = Gauge("countersign_there", "There.")
    there.ask(lambda: NOTHING["there"])
    writer.write()
    assert "KeyError" in caplog.text
    writer.write()


def test_notes_that_nobody_takes_give_way_to_newer_ones():
    meters.heap.clear()
    for _ in range(meters.MOST_NOTES + 10):
        meters.heap.append((meters.Noted(), (), 1.0))
    assert len(meters.heap) == meters.MOST_NOTES
    meters.heap.clear()


def test_nothing_is_written_where_nobody_may_ask(path, writer, settings):
    settings.METRICS_TOKEN, settings.METRICS_FROM, settings.METRICS_WRITTEN_EVERY = "", [], 60
    writing.begin()
    writing.flush()
    assert writing._writer.thread is None
    assert not path.exists()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_has_files_of_its_own_and_writes_nothing_of_its_parents(path, writer, settings):
    settings.METRICS_TOKEN, settings.METRICS_WRITTEN_EVERY = "a-token-of-thirty-two-characters", 60
    writing.begin()
    writing.flush()
    meters.heap.append((meters.declared()[0], (), 1.0))
    reading, answering = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            waits = len(meters.heap)
            writing.flush()
            name = writing._writer.store.place.name if writing._writer.store else ""
            os.write(answering, f"{waits} {name}".encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    waited, named = os.read(reading, 200).decode().split()
    assert waited == "0"
    assert named.startswith(f"{child}-")
    assert writer.store.place.name.startswith(f"{os.getpid()}-")
    meters.heap.clear()


def test_one_that_has_ended_writes_no_more_and_closes_nothing_twice(path, writer, settings):
    """The numbers of its files are somebody else's by then: a database's, for one."""
    settings.METRICS_TOKEN, settings.METRICS_WRITTEN_EVERY = "a-token-of-thirty-two-characters", 0.01
    writing.begin()
    writer.write()
    thread, place = writer.thread, writer.store.place
    writer.end()
    assert not thread.is_alive()
    assert folder.living(path) == 0
    numbers = [os.open(os.devnull, os.O_RDONLY) for _ in range(20)]
    place.let_go()
    writer.end()
    for number in numbers:
        os.close(number)
