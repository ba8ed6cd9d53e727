"""The pages on which people ask, decide, and say what a workflow asks for."""
