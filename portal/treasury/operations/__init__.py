"""The governed operations on money: what may be sent where, and sending it."""

from portal.treasury.operations.addresses import add_address, remove_address, rename_address
from portal.treasury.operations.params import AddAddress, RemoveAddress, RenameAddress, Withdraw
from portal.treasury.operations.withdraw import withdraw

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
