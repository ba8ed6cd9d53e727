"""The governed side of money: where it may go, and what was asked to go there."""

from portal.treasury.models.address import Address
from portal.treasury.models.withdrawal import Withdrawal

__all__ = ["Address", "Withdrawal"]
