"""What people type about members."""
