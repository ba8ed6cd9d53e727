"""Earn: strategies that take an asset, pay for it by the clock, and give it back."""
