"""Bots: what their keys may do, and stopping them at once."""
