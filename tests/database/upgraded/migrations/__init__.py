"""From a table that there is to what a release to come makes of it."""
