"""Migrations that run while the portal serves: what they are made of, and who ran them last."""
