"""A bot's keys, and its calls that were refused."""
