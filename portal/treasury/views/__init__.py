"""The pages about balances, deposits, addresses and withdrawals."""
