"""Trades and ledgers as files: asked for, written in the background, kept for a while."""
