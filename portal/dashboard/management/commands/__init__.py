"""The demo, where DEBUG is on."""
