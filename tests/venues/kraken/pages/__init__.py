"""Pages of an Account at a real exchange: while it answers, while it does not, and before it ever did."""
