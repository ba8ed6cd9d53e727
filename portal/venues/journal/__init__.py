"""The journal: what happens to each Account, numbered without gaps and kept for an hour, for those who follow it."""
