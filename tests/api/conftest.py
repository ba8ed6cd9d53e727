"""What every test of the bots' API starts from."""

from collections.abc import Iterator

import pytest

from portal.api.limits import lockout, refusal_events
from tests.api.calls import Wire


@pytest.fixture(autouse=True)
def _nobody_is_throttled(settings) -> Iterator[None]:
    """Tests call faster than bots may; the tests of the counters set their own."""
    settings.API_LIMITS = False
    lockout.forget_all()
    refusal_events.forget_all()
    yield
    lockout.forget_all()
    refusal_events.forget_all()


@pytest.fixture
def treasury(treasury_bot) -> Wire:
    return Wire(treasury_bot)


@pytest.fixture
def trading(trading_bot) -> Wire:
    return Wire(trading_bot)


@pytest.fixture
def readonly(readonly_bot) -> Wire:
    return Wire(readonly_bot)
