"""A queryset that is built and compiled once, and run with what is given at each call."""
