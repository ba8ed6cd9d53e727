"""The proof of streams under load and failure: a portal as in production, its bots, what breaks, and who checks."""
