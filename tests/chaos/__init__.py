"""Chaos against a whole installation: two nodes, two databases and all around them, on machines of their own."""
