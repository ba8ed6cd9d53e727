"""What a key sees: its query window and its permissions, held on the way out and again on the way back (K4)."""
