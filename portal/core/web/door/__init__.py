"""What stands between the server and the application: whole requests in, with bounds on what they may cost."""
