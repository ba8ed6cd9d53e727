"""What must not grow, measured as ratios: pages, signed calls, and what they stand on."""
