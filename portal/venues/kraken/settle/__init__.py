"""Settling a withdrawal whose outcome nobody knows: governed, by two people."""
