"""The worker, for as long as it is left running."""
