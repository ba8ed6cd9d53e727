"""What people type about bots and their keys."""
