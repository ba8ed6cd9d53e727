"""Machines for those who ask; said plainly where there can be none."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machines import images, networks
from tests.machines.networks import Network


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = f"{Path(__file__).parent}{os.sep}"
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker("machines")


@pytest.fixture(scope="session", autouse=True)
def can_start() -> None:
    """Skips, saying why, where no machine can be started; fails where nothing may be skipped."""
    if reason := images.why_none():
        if os.environ.get("NOTHING_SKIPPED") == "1" or os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    """A wire of the module's own."""
    with networks.laid() as network:
        yield network
