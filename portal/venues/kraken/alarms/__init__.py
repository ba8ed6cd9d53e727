"""Alarms: raised once by whoever sees something, mailed to who approves, and on every page until acknowledged."""

from portal.venues.kraken.alarms.raising import raise_alarm

__all__ = ["raise_alarm"]
