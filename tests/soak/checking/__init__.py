"""What happened, what was told, and whether they agree."""
