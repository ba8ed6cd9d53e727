"""Which tests of all a run has, and in which order: options of pytest, and what becomes of them."""

import os

import pytest

from tests.collecting.dealing import dealt
from tests.collecting.which_database import passes_alike, touches


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database-only", action="store_true", help="leave out the tests that touch no database")
    parser.addoption(
        "--quick", action="store_true", help="of the tests that touch the database, one of each file and no more"
    )
    parser.addoption("--apart", action="store_true", help="leave out what every database passes alike")
    parser.addoption(
        "--dealt",
        action="store_true",
        help="with --dist worksteal: let each worker begin with a share of what takes long",
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the options say; what takes long comes first."""
    left = [item for item in items if _is_left_out(config, item)]
    if config.getoption("--quick"):
        left += _all_but_one_of_each_file([item for item in items if touches(item)])
    config.hook.pytest_deselected(items=left)
    out = set(left)
    hands = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) if config.getoption("--dealt") else 1
    items[:] = dealt([item for item in items if item not in out], hands)


def _is_left_out(config: pytest.Config, item: pytest.Item) -> bool:
    if not touches(item):
        return bool(config.getoption("--database-only"))
    return bool(config.getoption("--apart")) and passes_alike(item)


def _all_but_one_of_each_file(items: list[pytest.Item]) -> list[pytest.Item]:
    """Which one is left does not hang on the order, which is another one in every run."""
    kept = {item.path: item.nodeid for item in sorted(items, key=lambda item: item.nodeid, reverse=True)}
    return [item for item in items if kept[item.path] != item.nodeid]
