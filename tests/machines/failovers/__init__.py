"""A portal whose database has a synchronous replica, and what becomes of its bots when the primary is lost."""
