"""Prepared statements by libpq alone, on a connection that commits each by itself: a third of what a cursor costs.

psycopg's cursor waits for the server in steps of Python, so that other tasks of a loop can run meanwhile. A thread that
answers one bot has nothing else to do, and libpq waits for it, without Python's lock. Parameters and rows are turned by
psycopg as ever.
"""

from collections.abc import Sequence
from typing import Any, Final

import psycopg
from psycopg import errors, pq
from psycopg.adapt import PyFormat, Transformer

# A statement that was dropped on the server, as psycopg drops all after a rollback: it has not run.
NOT_THERE: Final = b"26000"
# A table is another one than when the statement was prepared.
OUT_OF_DATE: Final = b"0A000"
MOST: Final = 100
IDLE: Final = pq.TransactionStatus.IDLE
ROWS: Final = pq.ExecStatus.TUPLES_OK
DONE: Final = pq.ExecStatus.COMMAND_OK
BINARY: Final = pq.Format.BINARY


class Prepared:
    """What one connection has prepared here, by text and types of the parameters."""

    __slots__ = ("_made", "_names", "_transformer", "_uses", "raw")

    def __init__(self, raw: "psycopg.Connection[Any]") -> None:
        self.raw = raw
        self._transformer = Transformer(raw)
        self._names: dict[tuple[bytes, tuple[int, ...] | None], bytes] = {}
        self._uses: dict[tuple[bytes, tuple[int, ...] | None], int] = {}
        self._made = 0

    def run(self, text: bytes, values: Sequence[Any]) -> list[tuple[Any, ...]] | None:
        """Run a statement with `$1` parameters and give its rows; None, and nothing was run, if a cursor has to do it.

        It has to within a transaction, until the statement came as often as the connection's `prepare_threshold`
        says, and when the server has dropped it.

        Raises: psycopg.Error as a cursor does.
        """
        connection, turned = self.raw.pgconn, self._transformer
        if connection.transaction_status != IDLE:
            return None
        given: Any = turned.dump_sequence(values, [PyFormat.AUTO] * len(values))
        key = (text, turned.types)
        name = self._names.get(key) or self._prepare(key)
        if name is None:
            return None
        try:
            result = connection.exec_prepared(name, given, turned.formats, BINARY)
        except MemoryError as error:
            # What psycopg makes of no result at all: nothing could be sent.
            raise psycopg.OperationalError("the connection is lost") from error
        status = result.status
        if status == ROWS:
            turned.set_pgresult(result)
            return turned.load_rows(0, result.ntuples, tuple)
        if status == DONE:
            return []
        self._failed(result)
        return None

    def _prepare(self, key: tuple[bytes, tuple[int, ...] | None]) -> bytes | None:
        threshold = self.raw.prepare_threshold
        uses = self._uses[key] = self._uses.get(key, 0) + 1
        if threshold is None or uses <= threshold or len(self._names) >= MOST:
            if len(self._uses) > MOST * 10:
                self._uses.clear()
            return None
        self._made += 1
        name = b"countersign_%d" % self._made
        result = self.raw.pgconn.prepare(name, key[0], key[1])
        if result.status != DONE:
            self._failed(result)
            return None
        self._names[key] = name
        return name

    def _failed(self, result: pq.abc.PGresult) -> None:
        state = result.error_field(pq.DiagnosticField.SQLSTATE)
        if state in {NOT_THERE, OUT_OF_DATE}:
            # All is prepared anew. After any other error it is not: the server would keep what it has beside that.
            self._names.clear()
        if state == NOT_THERE:
            return
        if self.raw.pgconn.status != pq.ConnStatus.OK:
            raise psycopg.OperationalError(result.error_message.decode(errors="replace"))
        raise errors.error_from_result(result, encoding=self.raw.info.encoding)
