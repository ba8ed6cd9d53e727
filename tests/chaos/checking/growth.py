"""What the processes of the nodes hold: memory and open files, from the first calm to the last."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from tests.chaos.installation.nodes import Node

PAGE: Final = os.sysconf("SC_PAGE_SIZE")
# By a word of their command line, from the first that is found.
KINDS: Final = {"uvicorn": "sockets", "granian": "web", "countersign work": "work", "nginx": "nginx"}
# What a process may hold at the end, beside what its kind held in the first calm.
TIMES: Final = 1.6
# A digest of a password takes 19 MB, which each thread that answers pages may keep for the next.
MEMORY_MORE: Final = 256 * 2**20
FILES_MORE: Final = 80


@dataclass(frozen=True, slots=True)
class Held:
    """What one process holds: bytes, and open files."""

    kind: str
    node: str
    memory: int
    files: int


@dataclass
class Growth:
    """Two looks, and the largest of all in between."""

    nodes: Sequence[Node]
    first: list[Held] = field(default_factory=list)
    last: list[Held] = field(default_factory=list)
    largest: dict[str, int] = field(default_factory=dict)

    def look(self) -> list[Held]:
        """What there is now; the largest is kept."""
        found = [held for node in self.nodes if node.machine.is_on for held in _held(node)]
        for held in found:
            self.largest[held.kind] = max(self.largest.get(held.kind, 0), held.memory)
        return found

    def wrong(self) -> Iterator[str]:
        """What has grown without a bound that one could name."""
        usual: dict[str, list[Held]] = defaultdict(list)
        for held in self.first:
            usual[held.kind].append(held)
        for held in self.last:
            if held.kind not in usual:
                continue
            memory = median(each.memory for each in usual[held.kind])
            files = median(each.files for each in usual[held.kind])
            if held.memory > TIMES * memory + MEMORY_MORE:
                yield f"{held.kind} of {held.node} holds {held.memory / 2**20:.0f} MB, {memory / 2**20:.0f} at first"
            if held.files > TIMES * files + FILES_MORE:
                yield f"{held.kind} of {held.node} has {held.files} files open, {files:.0f} at first"

    def __str__(self) -> str:
        words = []
        for kind in KINDS.values():
            first, last = ([each for each in found if each.kind == kind] for found in (self.first, self.last))
            if first and last:
                memory = [max(each.memory for each in found) / 2**20 for found in (first, last)]
                files = [max(each.files for each in found) for found in (first, last)]
                largest = self.largest[kind] / 2**20
                words.append(
                    f"{kind}: {memory[0]:.0f} → {memory[1]:.0f} MB a process (largest {largest:.0f}), "
                    f"{files[0]} → {files[1]} files"
                )
        return "\n".join(words)


def _held(node: Node) -> Iterator[Held]:
    for pid in _below(node.machine.leader):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            kind = next((kind for word, kind in KINDS.items() if word in line), None)
            if kind is None or "resource_tracker" in line:
                continue
            memory = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
            yield Held(kind, node.name, memory, len(list(Path(f"/proc/{pid}/fd").iterdir())))
        except (OSError, IndexError):
            # It has ended meanwhile.
            continue


def _below(pid: int) -> Iterator[int]:
    """The processes that descend from one."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return
    for child in map(int, children):
        yield child
        yield from _below(child)
