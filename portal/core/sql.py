"""The few hot statements, run prepared and without the ORM."""

from collections.abc import Mapping
from typing import Any

from django.db import connection


def fetch(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run one statement with `%(name)s` parameters on Django's connection and return all its rows.

    All rows are read at once: on SQLite an unfinished cursor would keep the lock.
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []
