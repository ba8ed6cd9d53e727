"""Counts what a piece of work does. The same work gives the same numbers, however busy the machine is."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final, ParamSpec, TypeAlias, TypeVar

import psycopg
from django.db import connection

from portal.core.database.libpq import Prepared

P = ParamSpec("P")
R = TypeVar("R")
Work: TypeAlias = Callable[[], object]
Traced: TypeAlias = "Callable[[FrameType, str, object], Traced]"
# What is kept from call to call is there by then: connections, keys, prepared statements, compiled expressions.
WARM: Final = 12


@dataclass(frozen=True, slots=True)
class Count:
    """Of one call: statements, functions of Python entered, and bytecodes run in this thread."""

    statements: int
    functions: int
    bytecodes: int


def counted(work: Work) -> Count:
    """Count one more run of `work`, after a few that are not counted."""
    return counted_alone(lambda: work)


def counted_alone(ready: Callable[[], Work]) -> Count:
    """The same of work that is made `ready` for each run, which is not counted."""
    for _ in range(WARM):
        ready()()
    work = ready()
    with statements() as sent:
        work()
    functions, bytecodes = _traced(ready())
    return Count(len(sent), functions, bytecodes)


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements that are sent meanwhile, by whatever cursor. BEGIN and COMMIT are not among them."""
    if connection.vendor == "sqlite":
        with _traced_by_sqlite() as sent:
            yield sent
        return
    sent = []
    execute, run = psycopg.Cursor.execute, Prepared.run
    psycopg.Cursor.execute = _heard(execute, sent)  # type: ignore[assignment, method-assign]
    Prepared.run = _heard_where_run(run, sent)  # type: ignore[method-assign]
    try:
        yield sent
    finally:
        psycopg.Cursor.execute, Prepared.run = execute, run  # type: ignore[method-assign]


def _heard(execute: Callable[P, R], sent: list[str]) -> Callable[P, R]:
    def hearing(*arguments: P.args, **named: P.kwargs) -> R:
        sent.append(str(arguments[1]))
        return execute(*arguments, **named)

    return hearing


def _heard_where_run(run: Callable[P, R], sent: list[str]) -> Callable[P, R]:
    """What is left to a cursor is heard there."""

    def hearing(*arguments: P.args, **named: P.kwargs) -> R:
        found = run(*arguments, **named)
        if found is not None:
            sent.append(str(arguments[1]))
        return found

    return hearing


@contextmanager
def _traced_by_sqlite() -> Iterator[list[str]]:
    sent: list[str] = []
    connection.ensure_connection()

    def heard(statement: str) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "--")):
            sent.append(statement)

    connection.connection.set_trace_callback(heard)
    try:
        yield sent
    finally:
        connection.connection.set_trace_callback(None)


def _traced(work: Work) -> tuple[int, int]:
    functions = bytecodes = 0

    def trace(frame: FrameType, event: str, _: object) -> Traced:
        nonlocal functions, bytecodes
        if event == "call":
            functions += 1
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        elif event == "opcode":
            bytecodes += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return functions, bytecodes
