"""Backups: sealed to a public key, restored and proved, and how long ago each was."""

from portal.operating.backups.state import ages

__all__ = ["ages"]
