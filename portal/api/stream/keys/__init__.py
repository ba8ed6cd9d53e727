"""Whose sockets they are: tokens, keys that change, and what is written down of both."""
