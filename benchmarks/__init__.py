"""What must not grow, measured as ratios: pages, signed calls, what they stand on, and what sockets cost them."""
