"""The people of an Organization: invited, given rights, verified, removed."""
