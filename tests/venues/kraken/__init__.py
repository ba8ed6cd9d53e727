"""The gateway, piece by piece, against servers of the tests' own."""
