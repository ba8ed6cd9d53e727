"""What people type to get in."""
