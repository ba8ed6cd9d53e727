"""The tests of tests/clients/test_ccxt.py, unchanged, with the exchange behind the portal."""

from tests.clients.test_ccxt import *  # noqa: F403
