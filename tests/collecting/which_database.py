"""Which tests every database passes alike: one of two is enough where nobody has time for both."""

from functools import cache
from pathlib import Path
from typing import Final

import pytest

# The database is the subject of these: statements, locks, migrations, settings of the connection, the history's chain.
ABOUT_DATABASES: Final = {"audit", "core", "database", "jobs", "operating"}
# A test that counts statements, or says that databases differ, has something to say of each.
TELLS_THEM_APART: Final = (
    "vendor", "django_assert_num_queries", "django_assert_max_num_queries", "CaptureQueriesContext", "EXPLAIN",
)  # fmt: skip
TESTS: Final = Path(__file__).resolve().parents[1]


def touches(item: pytest.Item) -> bool:
    """Whether the test needs a database."""
    fixtures = {"db", "transactional_db"} & set(getattr(item, "fixturenames", ()))
    return bool(fixtures) or item.get_closest_marker("django_db") is not None


def passes_alike(item: pytest.Item) -> bool:
    """Whether it does one thing after the other, and is not about what databases do in different ways.

    Asking for pages as a browser does is such a thing, whatever else is said of the file.
    """
    if item.get_closest_marker("alike") is not None:
        return True
    if _is_at_once(item) or item.get_closest_marker("postgresql") is not None:
        return False
    if {"client", "sign_in"} & set(getattr(item, "fixturenames", ())):
        return True
    return item.path.relative_to(TESTS).parts[0] not in ABOUT_DATABASES and not _tells_them_apart(item.path)


def _is_at_once(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    at_once = marker is not None and bool(marker.kwargs.get("transaction"))
    return at_once or "transactional_db" in getattr(item, "fixturenames", ())


@cache
def _tells_them_apart(path: Path) -> bool:
    text = path.read_text()
    return any(word in text for word in TELLS_THEM_APART)
