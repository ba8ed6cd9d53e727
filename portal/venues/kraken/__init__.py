"""Accounts of a real exchange: signed anew and relayed, and withdrawn from under intent and fence (DESIGN V2)."""
