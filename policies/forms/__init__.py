"""What people type about requests and policies, as typed values."""
