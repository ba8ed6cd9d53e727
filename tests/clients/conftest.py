"""A portal as `make run` starts it: own data, own process, a free port; the clients get nothing but its address."""

from collections.abc import Iterator

import pytest

from portal.api import methods
from tests.running import Portal, with_demo


@pytest.fixture(scope="session")
def portal(tmp_path_factory) -> Iterator[Portal]:
    with with_demo(tmp_path_factory.mktemp("portal")) as running:
        yield running


def every_method() -> set[str]:
    """What each client has to have called with its own functions."""
    return {*methods.PUBLIC, *methods.PRIVATE}
