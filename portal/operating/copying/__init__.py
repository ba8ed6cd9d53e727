"""The whole of a database taken over into an empty one of PostgreSQL, so that nothing in it is another than before."""
