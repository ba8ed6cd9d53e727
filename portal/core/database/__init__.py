"""Statements and rules of the database that the ORM does not know."""
