"""Servers of our own that the doctor meets: mail, a proxy, a pool, and who signs their certificates."""
