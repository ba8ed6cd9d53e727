"""Bots' calls, sent on: which, how narrowed, how often, and whose share of the exchange's limits they are."""
