"""The tests of tests/clients/test_python_kraken_sdk.py, unchanged, with the exchange behind the portal."""

from tests.clients.test_python_kraken_sdk import *  # noqa: F403
