"""The governed operations on money: what may be sent where, and sending it."""

from portal.treasury.operations.addresses import (
    AddAddress,
    RemoveAddress,
    RenameAddress,
    add_address,
    remove_address,
    rename_address,
)
from portal.treasury.operations.withdraw import Withdraw, withdraw

__all__ = [
    "AddAddress",
    "RemoveAddress",
    "RenameAddress",
    "Withdraw",
    "add_address",
    "remove_address",
    "rename_address",
    "withdraw",
]
