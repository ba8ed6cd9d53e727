"""Envelopes, and the protocol's string for each kind of error."""

import json

import pytest

from portal.api.protocol.envelope import Error, error_for, failure, success
from portal.core.errors import Conflict, DomainError, Insufficient, Invalid, NotFound, Refused, Unavailable
from portal.treasury.errors import AddressMismatch, FeeTooHigh, UnknownAddress
from portal.venues.errors import (
    BelowMinimum,
    ClientIdTaken,
    CostTooSmall,
    DeadlineElapsed,
    EarnAboveMaximum,
    EarnBelowMinimum,
    EarnBusy,
    EarnFunds,
    InsufficientFunds,
    InvalidPrice,
    OrderFunds,
    TickSize,
    TooFast,
    TooLate,
    TooManyAddresses,
    TooManyOrders,
    UnknownAsset,
    UnknownMethod,
    UnknownOrder,
    UnknownPair,
    UnknownReference,
    UnknownStrategy,
    VolumeTooSmall,
)


def test_success_has_an_empty_list_and_failure_no_result():
    assert json.loads(success({"a": None}).body) == {"error": [], "result": {"a": None}}
    assert json.loads(success(False).body) == {"error": [], "result": False}
    assert json.loads(failure(Error.INVALID_KEY).body) == {"error": ["EAPI:Invalid key"]}


@pytest.mark.parametrize(
    ("error", "string"),
    [
        (UnknownAsset(""), "EQuery:Unknown asset"),
        (UnknownPair(""), "EQuery:Unknown asset pair"),
        (UnknownMethod(""), "EFunding:No funding method"),
        (UnknownReference(""), "EFunding:Unknown reference id"),
        (UnknownAddress(""), "EFunding:Unknown withdraw key"),
        (AddressMismatch(""), "EGeneral:Invalid arguments"),
        (FeeTooHigh(""), "EFunding:Max fee exceeded"),
        (BelowMinimum(""), "EFunding:Invalid amount"),
        (InsufficientFunds(""), "EFunding:Invalid amount"),
        (Insufficient(""), "EFunding:Invalid amount"),
        (OrderFunds(""), "EOrder:Insufficient funds"),
        (VolumeTooSmall(""), "EOrder:Order minimum not met"),
        (CostTooSmall(""), "EOrder:Cost minimum not met"),
        (TickSize(""), "EOrder:Tick size check failed"),
        (InvalidPrice(""), "EOrder:Invalid price"),
        (UnknownOrder(""), "EOrder:Unknown order"),
        (TooManyOrders(""), "EOrder:Orders limit exceeded"),
        (TooFast(""), "EOrder:Rate limit exceeded"),
        (DeadlineElapsed(""), "EService:Deadline elapsed"),
        (ClientIdTaken(""), "EGeneral:Invalid arguments"),
        (TooManyAddresses(""), "EFunding:Too many addresses"),
        (UnknownStrategy(""), "EGeneral:Invalid arguments:Invalid strategy ID"),
        (EarnBusy(""), "EEarnings:Busy:Another (de)allocation for the same strategy is in progress"),
        (EarnBelowMinimum(""), "EEarnings:Below min:(De)allocation operation amount less than minimum"),
        (EarnAboveMaximum(""), "EEarnings:Above max:The allocation exceeds user limit for the strategy"),
        (EarnFunds(""), "EEarnings:Insufficient funds:Insufficient funds to complete the (de)allocation request"),
        (Invalid("", field="amount"), "EGeneral:Invalid arguments"),
        (Invalid(""), "EGeneral:Invalid arguments"),
        (TooLate(""), "EService:Busy"),
        (Conflict(""), "EService:Busy"),
        (NotFound(""), "EGeneral:Invalid arguments"),
        (Refused(""), "EGeneral:Permission denied"),
        (Unavailable(""), "EService:Unavailable"),
        (DomainError(""), "EGeneral:Invalid arguments"),
    ],
)
def test_every_kind_has_one_string(error, string):
    """AP-15: strings of the reference only, whole and unadorned."""
    assert error_for(error).value == string


def test_funding_methods_speak_of_assets_in_their_own_words():
    assert error_for(UnknownAsset(""), funding=True).value == "EFunding:Unknown asset"
    assert error_for(Invalid("", field="amount"), funding=True).value == "EFunding:Invalid amount"
