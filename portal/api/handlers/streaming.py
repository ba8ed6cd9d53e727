"""The token that opens the private part of a socket (reference §13)."""

from accounts.api_keys.streaming import tokens
from portal.api.call import Caller
from portal.api.protocol.envelope import JSON
from portal.api.protocol.parameters import NoParameters


def get_websockets_token(caller: Caller, parameters: NoParameters) -> JSON:
    """A token to show at `/v2` within `expires` seconds; what a socket accepted stays good on that socket."""
    return {"token": tokens.issue(caller.credential), "expires": int(tokens.VALID_FOR.total_seconds())}
