"""Stopping a member, a bot or a key at once, what that does, and lifting it again (DESIGN §4)."""
