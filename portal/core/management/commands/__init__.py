"""Commands that change the database under a portal at work."""
