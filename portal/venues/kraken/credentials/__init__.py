"""The exchange's credentials: found for a call, their nonces taken, stopped when the exchange refuses them."""
