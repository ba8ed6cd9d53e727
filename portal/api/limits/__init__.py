"""Who calls too often or fails too often."""
