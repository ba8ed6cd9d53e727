"""Every governed operation about Accounts at an exchange, found by `policies.registry`."""

from portal.venues.kraken.connection.connecting import connect
from portal.venues.kraken.connection.disconnecting import disconnect
from portal.venues.kraken.connection.replacing import add_credential, remove_credential
from portal.venues.kraken.settle.settling import settle_withdrawal

__all__ = ["add_credential", "connect", "disconnect", "remove_credential", "settle_withdrawal"]
