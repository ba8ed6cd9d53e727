"""What would happen if somebody asked."""
