"""The people of an Organization: invited, given rights, suspended, removed."""
