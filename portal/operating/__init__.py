"""What an operator runs and watches an installation with."""
