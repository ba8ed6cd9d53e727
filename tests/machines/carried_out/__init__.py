"""Runbooks that were written for a bad night, carried out on machines: each command as it stands there, in order."""
