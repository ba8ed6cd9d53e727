"""What a process took of the machine, as Linux counts it; nothing elsewhere."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path


def seconds_by_thread(processes: Iterable[int]) -> dict[int, float]:
    """How long each thread of these processes has had a processor by now."""
    seconds = {}
    for process in processes:
        with suppress(OSError):
            for thread in Path(f"/proc/{process}/task").iterdir():
                with suppress(OSError):
                    seconds[int(thread.name)] = int((thread / "schedstat").read_text().split()[0]) / 1e9
    return seconds


def seconds_between(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """How long all threads that were there `after` had a processor since. Of one that has ended nobody knows."""
    return sum(seconds - before.get(thread, 0.0) for thread, seconds in after.items())


def children_of(process: int) -> list[int]:
    """Its children as of now."""
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return []


def memory_of(process: int) -> tuple[int, int]:
    """How many bytes it holds: all (RSS), and its share where several hold the same (PSS). Zeros if nobody says."""
    found = {"Rss": 0, "Pss": 0}
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in found:
                found[name] = int(rest.split()[0]) * 1024
    return found["Rss"], found["Pss"]
