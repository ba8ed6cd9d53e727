"""Every governed operation about Accounts at an exchange, loaded by `policies.apps`."""

from portal.venues.kraken.connection.connecting import connect

__all__ = ["connect"]
