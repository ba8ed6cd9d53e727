"""One installation on which everything that an operator is told to do is done, one after the other."""
