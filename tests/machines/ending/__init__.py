"""Machines whose driver was killed."""
