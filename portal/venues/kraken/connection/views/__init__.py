"""The page of an Account with its connection, and asking to change it."""
