"""What the portal tells of itself: what it counts, written a moment later, and what takes how long."""
