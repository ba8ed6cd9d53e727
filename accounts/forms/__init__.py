"""What people type about themselves, their colleagues and their bots, as typed values; none of it writes."""
