"""What breaks, each with its beginning, its end, and the check that it is over."""
