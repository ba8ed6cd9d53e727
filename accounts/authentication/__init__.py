"""Signing in and staying signed in: password, second factor, step-up, sessions, links that travel by mail."""
