"""Stopping somebody or something at once, and what is stopped now."""
