"""The release before this one: its code at a database that this one has migrated, and beside it."""
