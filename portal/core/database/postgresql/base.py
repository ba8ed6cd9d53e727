"""Django's connection to PostgreSQL, to the host that takes changes; pages may read from another while none does.

`portal.databases` names this package as the ENGINE.
"""

from collections.abc import Callable
from typing import Any, Final

import psycopg
from django.db.backends.postgresql import base

from portal.core.database.postgresql import hosts, standby
from portal.core.database.postgresql.primary import primary

NOBODY: Final = "no host of the database takes changes"
READ_ONLY: Final = "SHOW transaction_read_only"


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, which knows one host from another."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> "psycopg.Connection[Any]":
        """Connect to the host that takes changes. Where none does: to any, for who may read from a standby.

        Raises: psycopg.OperationalError
        """
        connect: Callable[[dict[str, Any]], psycopg.Connection[Any]] = super().get_new_connection
        if not hosts.are_several(conn_params):
            return connect(conn_params)
        if not primary.is_away():
            try:
                return connect(hosts.beginning_with(conn_params, primary.place))
            except psycopg.OperationalError:
                primary.missed(conn_params)
                if not standby.may_serve():
                    raise
        if not standby.may_serve():
            raise psycopg.OperationalError(NOBODY)
        return connect({**hosts.beginning_with(conn_params, primary.standby), "target_session_attrs": "any"})

    def is_usable(self) -> bool:
        """Whether the server answers, and takes changes: a primary that has become a standby is left."""
        if self.connection is None:
            return False
        try:
            with self.connection.cursor() as cursor:
                row = cursor.execute(READ_ONLY).fetchone()
        except psycopg.Error:
            return False
        return standby.may_serve() or row is None or row[0] == "off"
