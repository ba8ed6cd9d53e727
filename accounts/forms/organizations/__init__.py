"""What people type about an Organization as a whole."""
