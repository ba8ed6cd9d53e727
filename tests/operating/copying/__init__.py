"""A database made to live in SQLite, and what becomes of it in PostgreSQL."""
