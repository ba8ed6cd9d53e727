"""What an operator types to look after an installation."""
