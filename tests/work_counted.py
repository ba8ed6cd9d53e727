"""How much Python a piece of work runs: exact on every machine, however busy it is."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import TraceFunction


@dataclass
class Counted:
    """Functions of Python that were called, and instructions that they ran. What is written in C counts nothing."""

    calls: int = 0
    instructions: int = 0

    def trace(self, frame: FrameType, event: str, _: object) -> "TraceFunction":
        if event == "call":
            self.calls += 1
            frame.f_trace_opcodes = True
        elif event == "opcode":
            self.instructions += 1
        return self.trace


def counted(work: Callable[[], object]) -> Counted:
    """Run the work once and count, in this thread; whoever traces already goes on afterwards."""
    found, before = Counted(), sys.gettrace()
    sys.settrace(found.trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return found
