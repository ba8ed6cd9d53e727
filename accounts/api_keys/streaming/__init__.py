"""Keys that stream: the tokens that open a socket to them, which sockets are open, what is written down of both."""
