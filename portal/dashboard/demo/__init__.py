"""The demo that `make run` makes, to try everything with: only where DEBUG is on."""
