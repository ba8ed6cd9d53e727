"""Past requests held against other rules."""
