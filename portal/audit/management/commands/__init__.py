"""Keeping the history out of reach of what serves, and proving that it is whole."""
