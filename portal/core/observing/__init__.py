"""What the portal counts of itself: noted in memory by whoever knows, and written for the operator a moment later."""
