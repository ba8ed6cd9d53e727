"""The installation that is broken: its machines, and what stands on each."""
