"""What the operator does about money after a restore."""
