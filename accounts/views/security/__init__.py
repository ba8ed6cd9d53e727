"""One's own second factors, and what the operator announced about them."""
