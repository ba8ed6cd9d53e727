"""The people of an Organization."""
