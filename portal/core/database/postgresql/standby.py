"""Reading from a host that takes no changes, while there is no other: for pages alone, and never without saying so."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from django.db import DEFAULT_DB_ALIAS, connections

from portal.core.database.postgresql import hosts
from portal.core.database.postgresql.primary import primary

_serves: Final[ContextVar[bool]] = ContextVar("standby_serves", default=False)


@contextmanager
def serving() -> Iterator[None]:
    """Until the block ends, this thread may read from a standby where no host takes changes."""
    token = _serves.set(True)
    try:
        yield
    finally:
        _serves.reset(token)
        _leave()


def may_serve() -> bool:
    """Whether who asks now only reads, or is told that nothing can be changed."""
    return _serves.get()


def is_read_only() -> bool:
    """Whether the database takes no changes just now: as this thread's connection says, or the process knows.

    What is written all the same fails, whatever this says: the server refuses it.
    """
    wrapper = connections[DEFAULT_DB_ALIAS]
    if wrapper.vendor != "postgresql":
        return False
    if wrapper.connection is None:
        return primary.is_away() and primary.standby is not None
    return hosts.only_reads(wrapper.connection)


def is_read() -> bool:
    """Whether this thread reads a page from a server that takes no changes: what it would only note is left out."""
    return may_serve() and is_read_only()


def is_read_only_now() -> bool:
    """The same, once it is certain that the connection lives. Raises: django.db.Error if no host answers."""
    with connections[DEFAULT_DB_ALIAS].cursor():
        return is_read_only()


def _leave() -> None:
    # The next who asks looks for a host that takes changes first: it may be there by then, and not be this one.
    wrapper = connections[DEFAULT_DB_ALIAS]
    if wrapper.in_atomic_block or wrapper.connection is None or not is_read_only():
        return
    if hosts.are_several(wrapper.get_connection_params()):
        wrapper.close()
