"""Calling the exchange: signing, sending within bounds, and telling what became of it."""
