"""The tests of tests/clients/test_krakenex.py, unchanged, with the exchange behind the portal."""

from tests.clients.test_krakenex import *  # noqa: F403
