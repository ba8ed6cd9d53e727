"""Django's own road to PostgreSQL, over several hosts of which one takes changes."""
