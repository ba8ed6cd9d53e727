"""Pages that say what would happen: to a withdrawal that nobody has asked for, and to those of the last 90 days."""
