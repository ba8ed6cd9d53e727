"""Balances as the protocol says them: text with as many decimals as the asset has."""

from collections.abc import Iterable
from typing import Final

DECIMALS: Final = {"XXBT": 10, "XETH": 10, "ZUSD": 4, "ZEUR": 4, "USDC": 8, "SOL": 10}
# What is free of withdrawals under way, by asset; the place for the Account is the driver's.
SELECT: Final = """
    SELECT asset, units - held_by_withdrawals_units FROM paper_balance WHERE account_id = %s ORDER BY asset
"""


def amounts(rows: Iterable[tuple[str, int]]) -> dict[str, str]:
    """`12.4000000000` for 124000000000 units of XXBT, and so on."""
    return {asset: in_words(units, DECIMALS[asset]) for asset, units in rows}


def in_words(units: int, decimals: int) -> str:
    """Units that are not below zero as a decimal number."""
    digits = str(units).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}"
