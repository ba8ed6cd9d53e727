"""Rehearsals: requests that change nothing, which everybody who may approve answers before they have to (DESIGN §5)."""
