"""What a person and others change about their second factors and password, and what follows from it."""
