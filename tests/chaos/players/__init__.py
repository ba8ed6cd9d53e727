"""Who uses the installation meanwhile: bots, sockets and people, each a program that notes what it was answered."""
