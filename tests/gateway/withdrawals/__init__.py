"""Withdrawals of an Account at the running exchange, through a proxy that fails as it is told."""
