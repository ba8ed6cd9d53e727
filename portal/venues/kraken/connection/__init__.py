"""Connecting an Account to an exchange, replacing its credentials, disconnecting it: governed."""
