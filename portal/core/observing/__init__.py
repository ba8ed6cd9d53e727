"""What the portal tells of itself: what it counts, noted in memory and written a moment later, and what takes how long."""
