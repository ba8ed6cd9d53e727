"""What people type about addresses and withdrawals, as typed values."""
