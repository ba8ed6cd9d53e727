"""Calls that the venue of an Account sends on to its exchange, whose answers go back as they came."""

from typing import Final

from portal.api.call import JSON_TYPE, Caller
from portal.api.protocol.envelope import ExchangeError, File
from portal.api.protocol.request_body import Fields
from portal.treasury import expired_holds
from portal.venues.relaying import RelayedCall

# What holds of withdrawals are taken off: those that have run out are given back first.
NET_OF_HOLDS: Final = frozenset({"Balance", "BalanceEx"})


def sent_on(caller: Caller, method: str, given: Fields) -> File:
    """What the exchange answers to the call: its envelope, or the file that was asked for.

    Raises: ExchangeError if it is an error; what the venue refuses.
    """
    if method in NET_OF_HOLDS:
        expired_holds.release_due(caller.account_id)
    credential = caller.credential
    answer = caller.venue.relay(
        RelayedCall(
            account_id=caller.account_id,
            service_user_id=credential.service_user_id,
            method=method,
            fields=given.said,
            permissions=credential.permissions,
            seen_from=credential.query_start,
            seen_before=credential.query_end,
        )
    )
    if answer.errors:
        raise ExchangeError(answer.errors, answer.body)
    name = "" if answer.media_type == JSON_TYPE else f"export_{given.value('id')}.zip"
    return File(name, answer.media_type, answer.body)
