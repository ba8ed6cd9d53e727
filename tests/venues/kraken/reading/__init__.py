"""What pages are told of an Account at a real exchange, and of when."""
