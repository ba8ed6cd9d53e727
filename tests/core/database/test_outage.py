"""Which errors of the database pass by themselves, so that a page says to come back and a bot to ask again."""

import pytest
from django.db import Error, IntegrityError, InterfaceError, InternalError, OperationalError, ProgrammingError
from psycopg import errors

from portal.core.database.outage import in_words, is_away


def caused(error: type[Error], cause: type[Exception]) -> Error:
    """As Django raises what the driver did."""
    found = error("what the server said\nand more of it")
    found.__cause__ = cause("what the server said\nand more of it")
    return found


@pytest.mark.parametrize(
    "error",
    [
        caused(OperationalError, errors.AdminShutdown),
        caused(OperationalError, errors.LockNotAvailable),
        caused(OperationalError, errors.DiskFull),
        caused(InterfaceError, Exception),
        caused(InternalError, errors.ReadOnlySqlTransaction),
        caused(InternalError, errors.IdleInTransactionSessionTimeout),
    ],
    ids=lambda error: type(error.__cause__).__name__,
)
def test_a_database_that_is_gone_busy_full_or_a_standby_now_is_away(error):
    assert is_away(error)


@pytest.mark.parametrize(
    "error",
    [
        None,
        ValueError("not the database's"),
        caused(InternalError, errors.InFailedSqlTransaction),
        caused(IntegrityError, errors.UniqueViolation),
        caused(ProgrammingError, errors.UndefinedTable),
    ],
    ids=lambda error: type(getattr(error, "__cause__", None) or error).__name__,
)
def test_a_fault_of_ours_is_not_called_an_outage(error):
    """Whoever was told to come back in a moment would do so for ever, and nobody would look for the fault."""
    assert not is_away(error)


def test_the_log_says_in_one_line_what_the_server_said():
    assert in_words(caused(OperationalError, errors.DiskFull)) == "DiskFull: what the server said"
    assert in_words(OperationalError("gone")) == "OperationalError: gone"
