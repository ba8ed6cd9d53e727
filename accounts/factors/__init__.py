"""What a person proves with beside the password: apps, passkeys, recovery codes. Knows no request."""
