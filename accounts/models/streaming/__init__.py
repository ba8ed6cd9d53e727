"""What keys keep while they stream: the tokens that open a socket to them, and the sockets that are open."""
