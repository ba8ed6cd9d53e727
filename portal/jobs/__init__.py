"""What happens without anybody asking: queued mail, and what only time brings about."""
