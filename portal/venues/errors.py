"""What a venue refuses, and why."""

from portal.core.errors import Conflict, Insufficient, Invalid, NotFound, Refused, TooMany, Unavailable


class NotServed(Refused):
    """The venue does not carry out calls of that method, and never will."""


class OverShare(TooMany):
    """The Service User has called as often as its part of the exchange's limits allows."""


class OutcomeUnknown(Unavailable):
    """It was sent, and nobody knows whether it was done. Asking again by itself could do it twice."""


class NotSeen(Invalid):
    """What is asked for lies outside of the key's query window, or nobody knows whether it does."""


class UnknownAsset(NotFound):
    """The venue has no asset of that name."""


class UnknownPair(NotFound):
    """The venue has no pair of that name."""


class UnknownMethod(NotFound):
    """The asset cannot come or leave that way."""


class UnknownReference(NotFound):
    """No withdrawal of this Account has that reference."""


class UnknownLedgerId(NotFound):
    """The Account's ledger has no row of that id."""


class BelowMinimum(Insufficient):
    """Less than the network takes."""


class InsufficientFunds(Insufficient):
    """More than the Account has free."""


class TooLate(Conflict):
    """The withdrawal has already left or ended."""


class FeeRose(Conflict):
    """The network takes more by now than was allowed when the withdrawal was asked for."""


class TooManyAddresses(Conflict):
    """The Account has as many unused deposit addresses as it may have."""


# --- Orders ----------------------------------------------------------------------------------------------------------


class UnknownOrder(NotFound):
    """The Account has no such order, or it is no longer open."""


class OrderFunds(InsufficientFunds):
    """The order would cost more than the Account has free."""


class VolumeTooSmall(Invalid):
    """Less than the pair's smallest volume."""


class CostTooSmall(Invalid):
    """Worth less than the pair's smallest cost."""


class TickSize(Invalid):
    """The price does not stand on the pair's tick."""


class InvalidPrice(Invalid):
    """No price, one where none belongs, or one that nothing could trade at."""


class TooManyOrders(Conflict):
    """As many open orders in the pair as there may be."""


class TooFast(Conflict):
    """The trading counter of the Account and pair is over its threshold."""


class DeadlineElapsed(Unavailable):
    """The order came after its own deadline."""


class ClientIdTaken(Conflict):
    """An open order of the Account has that `cl_ord_id`."""


# --- Earn ------------------------------------------------------------------------------------------------------------


class UnknownStrategy(NotFound):
    """The venue has no such Earn strategy."""


class EarnBusy(Conflict):
    """The last allocation or deallocation of the Account in the strategy is still under way."""


class EarnBelowMinimum(Invalid):
    """Less than the strategy takes at once."""


class EarnAboveMaximum(Invalid):
    """More than the strategy takes from one Account."""


class EarnFunds(InsufficientFunds):
    """More than is free, or than is allocated."""


# --- Exports ---------------------------------------------------------------------------------------------------------


class UnknownExport(NotFound):
    """The bot has no such export, or its window shows less than is in it."""


class ExportNotReady(Unavailable):
    """It is still being written."""
