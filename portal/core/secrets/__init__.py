"""Tokens, digests and sealed values, and that the keys to them are the right ones."""
