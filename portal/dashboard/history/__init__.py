"""The history as people read it: in sentences, narrowed to what they look for, and taken away as a table."""
