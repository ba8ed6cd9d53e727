"""Bots, and stopping them."""
