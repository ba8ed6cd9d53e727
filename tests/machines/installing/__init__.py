"""The installer where it is stopped on its way."""
