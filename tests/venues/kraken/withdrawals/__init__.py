"""Withdrawals of the gateway: what needs no exchange."""
