"""Every governed operation about Accounts at an exchange, loaded by `policies.apps`."""

from portal.venues.kraken.connection.connecting import connect
from portal.venues.kraken.connection.disconnecting import disconnect
from portal.venues.kraken.connection.replacing import add_credential, remove_credential

__all__ = ["add_credential", "connect", "disconnect", "remove_credential"]
