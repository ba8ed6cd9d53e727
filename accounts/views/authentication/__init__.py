"""Signing in, passwords and sessions."""
