"""Statements to the database as spans: only what each does, neither of which table nor with which values."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db.backends.base.base import BaseDatabaseWrapper

from portal.core.observing.spans import span

# Of one root: a long task has thousands, and what is held in between is bounded.
MOST: Final = 100
VERB: Final = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|SAVEPOINT|RELEASE|ROLLBACK|LOCK|SET|NOTIFY|CREATE|DROP)\b"
)


class Statements:
    """What Django runs around each statement of a connection while a root is open."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: object, many: bool, context: dict[str, Any]
    ) -> Any:  # noqa: ANN401 - whatever the statement gives
        """Run one of the ORM's within a span."""
        with self.spanned(sql):
            return execute(sql, params, many, context)

    @contextmanager
    def spanned(self, sql: str) -> Iterator[None]:
        """A span for one statement; none beyond the most."""
        self.count += 1
        if self.count > MOST:
            yield
            return
        found = VERB.match(sql)
        verb = found[1] if found else "OTHER"
        with span(f"database {verb}", {"db.operation.name": verb}):
            yield

    @contextmanager
    def aside(self, connection: BaseDatabaseWrapper, sql: str) -> Iterator[None]:
        """A span for a statement that goes another way than the ORM's, and finds nobody watching there."""
        connection.execute_wrappers.remove(self)
        try:
            with self.spanned(sql):
                yield
        finally:
            connection.execute_wrappers.append(self)


def alone_on(connection: BaseDatabaseWrapper) -> Statements | None:
    """What makes spans of this connection's statements, if nobody else watches them."""
    watching = connection.execute_wrappers
    if connection.force_debug_cursor or len(watching) != 1:
        return None
    return watching[0] if isinstance(watching[0], Statements) else None
