"""One credential of a bot: made, revealed, found at each call, counted, about to expire, taken away."""
