"""What people type about their second factors."""
