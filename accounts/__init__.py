"""Who: people and how they prove it, Organizations, bots and their keys."""
